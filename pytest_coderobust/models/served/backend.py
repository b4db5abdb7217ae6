"""A served model behind the protocol: rows go to its servers side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.backend import KeyedBy, ServingTerms, Streamed
from pytest_coderobust.models.batches import steps_within
from pytest_coderobust.models.prompts import clean_text, fill_template, template_of
from pytest_coderobust.models.served.agreement import Agreement
from pytest_coderobust.models.served.answers import AnswerSigns, ServedAnswer, read_answer
from pytest_coderobust.models.served.concurrency import start_concurrency
from pytest_coderobust.models.served.introduction import Introducer
from pytest_coderobust.models.served.lanes import Lane
from pytest_coderobust.models.served.patience import Patience, PatientTransport
from pytest_coderobust.models.served.requests import AskedRow, find_path, make_body
from pytest_coderobust.models.served.sent_rows import Dealings, Luck, SentRow
from pytest_coderobust.models.served.server import Server
from pytest_coderobust.models.served.streaming import Stream
from pytest_coderobust.models.served.tokens import PromptTokens
from pytest_coderobust.models.served.transport import PooledTransport, Reply
from pytest_coderobust.models.watch import find_watch
from pytest_coderobust.records import (
    Completion,
    ModelIdentity,
    Row,
    Sampling,
    Variant,
    digest,
)

SERVED = 1
"""Raised when the same request is made or its answer read in another way."""

LONGER = 1.25
"""Growth of the longest prompt after which a server is asked again whether it cuts such prompts."""


class ServedBackend:
    """A model behind one server or several.

    Args:
        introducer: shakes hands with a server, when the model's identity is first asked for.
        patience: the waits between tries.
    """

    keyed_by: KeyedBy = "prompt"
    batch_size = 1  # who shares a batch with a row is the server's affair

    def __init__(
        self, server: Server, introducer: Introducer, patience: Patience | None = None
    ) -> None:
        self.server = server
        self.patience = patience or Patience(server.options.patience)
        self._introducer = introducer
        self._luck = Luck()
        self._longest = 0

    @cached_property
    def lanes(self) -> tuple[Lane, ...]:
        """The servers, with all that was learned of their speed."""
        server = self.server
        return tuple(
            Lane(
                address,
                PooledTransport(
                    address.base,
                    server.credentials,
                    ca_bundle=server.entry.ca_bundle,
                    where=f"{server.label}: ",
                ),
                start_concurrency(server.options.concurrency),
            )
            for address in server.addresses
        )

    @cached_property
    def agreement(self) -> Agreement:
        """The outcome of the handshake; servers are asked when this is first read.

        Raises:
            ModelError: a server is not there, cannot be measured, or differs from the first.
        """
        found = [self._introducer.introduce(self.patient(lane), self.server) for lane in self.lanes]
        for lane, other in zip(self.lanes, found, strict=True):
            if (other.answered, other.key_parts) != (found[0].answered, found[0].key_parts):
                raise ModelError(
                    f"{self.server.label}: the servers {self.lanes[0].address.place} and "
                    f"{lane.address.place} are not alike; an entry's servers must serve one model "
                    "in one way"
                )
        return found[0]

    def patient(self, lane: Lane) -> PatientTransport:
        """A transport to one server for single requests: it waits while the server loads."""
        place = lane.address.place
        return PatientTransport(lane.transport, place, self.server.name, self.patience)

    @cached_property
    def tokens(self) -> PromptTokens | None:
        """The tokenizer; None where none is known."""
        return self.server.tokens

    @property
    def identity(self) -> ModelIdentity:
        return self._identity

    @cached_property
    def _identity(self) -> ModelIdentity:
        server, agreed = self.server, self.agreement
        entry = server.entry
        parts = [
            [address.origin for address in server.addresses],
            [agreed.model, agreed.answered, agreed.fingerprint],
            list(agreed.key_parts),
            [template_of(server.spec), dict(entry.sampling_fields), entry.reasoning],
        ]
        return ModelIdentity(server.name, digest("served", SERVED, parts), self.facts)

    @property
    def terms(self) -> ServingTerms:
        """The terms that the entry states; nobody is asked."""
        server = self.server
        place = ", ".join(address.place for address in server.addresses)
        # Each server of the entry has as many rows on their way.
        concurrency = (server.options.concurrency or 0) * len(server.addresses)
        # No language has a longer name than its placeholder, which is counted for it.
        frame = len(clean_text(template_of(server.spec).replace("{prompt}", "")).encode())
        return ServingTerms(place, server.entry.price, concurrency, frame)

    def count_tokens(self, prompt: str, language: str) -> int | None:
        """Counts a prompt's tokens as the server does; None where no tokenizer is known.

        A BOS of the server's own is counted once the handshake has found it; nobody is asked here.
        """
        if self.tokens is None:
            return None
        agreed: Agreement | None = self.__dict__.get("agreement")
        extra = agreed.extra_tokens if agreed is not None else None
        return len(self.tokens.encode(prompt, language)) + (extra or 0)

    @property
    def facts(self) -> dict[str, str]:
        """Facts for a report: what was asked, where, and how."""
        agreed = self.agreement
        others = [each.place for each in self.server.addresses if not each.loopback]
        own = [each.place for each in self.server.addresses if each.loopback]
        found = {
            "model": agreed.model,
            "prompts left this machine for": ", ".join(others),
            "served by this machine at": ", ".join(own),
            "prompt": "chat" if self.server.spec.chat else "continuation",
            **agreed.facts,
        }
        return {key: value for key, value in found.items() if value}

    @property
    def window(self) -> int | None:
        """Tokens that prompt and completion may have together; None where nobody says."""
        return self.server.entry.window or self.agreement.window

    def unavailable(self, variant: Variant, sampling: Sampling) -> str:  # noqa: ARG002
        if self.tokens is None or self.window is None:
            return ""  # the server tells, and the row is refused with its words
        length = len(self.tokens.encode(variant.prompt, variant.task.language))
        fits = length < self.window
        return "" if fits else f"prompt of {length} tokens, window of {self.window}"

    def prompt_length(self, prompt: str) -> int:
        return len(prompt)

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:
        places: dict[int, list[int]] = {}
        for place, row in enumerate(rows):
            places.setdefault(id(row), []).append(place)
        watch = find_watch()
        found: dict[int, Completion] = {}
        for streamed in self.stream(iter(rows), sampling):
            if streamed is None:
                continue
            place = places[id(streamed.row)].pop()
            found[place] = streamed.completion
            watch.wrote(streamed.completion.tokens)
            watch.ended({place: streamed.completion})
        return [found[place] for place in range(len(rows))]

    def stream(self, rows: Iterator[Row | None], sampling: Sampling) -> Iterator[Streamed | None]:
        """Answers rows as they finish; see `Streaming`."""
        agreed = self.agreement
        dealings = Dealings(
            prepare=lambda row: self._prepare(row, sampling, agreed),
            read=lambda reply, sent: self._read(reply, sent, sampling, agreed),
            path=find_path(agreed),
            label=self.server.label,
            patience=self.patience,
            luck=self._luck,
        )
        return Stream(rows, self.lanes, dealings).run()

    def close(self) -> None:
        for lane in self.__dict__.get("lanes", ()):
            lane.transport.abandon()
            lane.transport.close()

    def _prepare(self, row: Row, sampling: Sampling, agreed: Agreement) -> SentRow:
        prompt, language = row.variant.prompt, row.variant.task.language
        text = clean_text(fill_template(prompt, language, self.server.spec))
        asked = AskedRow(text, None, sampling.max_new_tokens)
        if self.tokens is not None:
            ids = self.tokens.encode(prompt, language)
            room = sampling.max_new_tokens
            if self.window is not None:
                room = max(steps_within(self.window - len(ids), room), 1)
            if agreed.takes_ids and agreed.api == "completions":
                asked = AskedRow(ids, len(ids), room)
            else:
                extra = agreed.extra_tokens
                asked = AskedRow(text, None if extra is None else len(ids) + extra, room)
        self._check_length(text, agreed)
        body = make_body(asked, row.noise, sampling, agreed, self.server.entry)
        return SentRow(row, body, asked.tokens, len(text.encode("utf-8")))

    def _check_length(self, text: str, agreed: Agreement) -> None:
        """Refuses servers that silently cut prompts, when one comes that is longer than all before.

        Raises:
            ModelError: one does.
        """
        if len(text) <= LONGER * self._longest:
            return
        self._longest = len(text)
        for lane in self.lanes:
            self._introducer.check_length(self.patient(lane), self.server, agreed, text)

    def _read(
        self, reply: Reply, sent: SentRow, sampling: Sampling, agreed: Agreement
    ) -> ServedAnswer:
        found = read_answer(reply.body, sampling, sent.prompt_bytes, reply.seconds)
        self._check_same(found, agreed)
        if None not in (sent.tokens, found.prompt_tokens) and sent.tokens != found.prompt_tokens:
            raise ModelError(
                f"{self.server.label}: the server counts {found.prompt_tokens} tokens in a prompt "
                f"of {sent.tokens}; it cuts prompts, adds to them, or has another tokenizer"
            )
        return found

    def _check_same(self, found: ServedAnswer | AnswerSigns, agreed: Agreement) -> None:
        """Refuses the answer of another model than the one that was met.

        Raises:
            ModelError: it has another name, or another configuration on a server of one's own.
        """
        if agreed.answered and found.model != agreed.answered:
            raise ModelError(
                f"{self.server.label}: the server answered as {agreed.answered!r}, and now as "
                f"{found.model!r}; another model is behind the address"
            )
        own = agreed.kind not in ("hosted", "unknown")
        if own and agreed.fingerprint and found.fingerprint not in ("", agreed.fingerprint):
            raise ModelError(
                f"{self.server.label}: the server's fingerprint was {agreed.fingerprint!r}, and is "
                f"now {found.fingerprint!r}; it was started anew with other settings"
            )
