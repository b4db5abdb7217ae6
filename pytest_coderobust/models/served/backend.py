"""A served model behind the protocol: rows go to its servers side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.backend import KeyedBy, ServingTerms, Streamed
from pytest_coderobust.models.batches import steps_within
from pytest_coderobust.models.gathering import gather_streamed
from pytest_coderobust.models.metering import Meter
from pytest_coderobust.models.prompts import clean_text, fill_template, template_of
from pytest_coderobust.models.served.agreement import Agreement
from pytest_coderobust.models.served.answers import ServedAnswer, read_answer
from pytest_coderobust.models.served.concurrency import start_concurrency
from pytest_coderobust.models.served.introduction import Introducer
from pytest_coderobust.models.served.lanes import Lane
from pytest_coderobust.models.served.length_check import LengthCheck
from pytest_coderobust.models.served.metered import MeteredTransport
from pytest_coderobust.models.served.patience import Patience, PatientTransport
from pytest_coderobust.models.served.requests import AskedRow, find_path, make_body
from pytest_coderobust.models.served.same_model import check_same
from pytest_coderobust.models.served.sent_rows import Dealings, Luck, SentRow
from pytest_coderobust.models.served.server import Server
from pytest_coderobust.models.served.streaming import Stream
from pytest_coderobust.models.served.tokens import PromptTokens
from pytest_coderobust.models.served.transport import PooledTransport, Reply
from pytest_coderobust.records import (
    Completion,
    ModelIdentity,
    Row,
    Sampling,
    Usage,
    Variant,
    digest,
)

SERVED = 1
"""Raised when the same request is made or its answer read in another way."""


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
        self.meter: Meter | None = None
        self._luck = Luck()
        self._lengths = LengthCheck(server, introducer)

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
        below = (
            lane.transport if self.meter is None else MeteredTransport(lane.transport, self.meter)
        )
        return PatientTransport(below, place, self.server.name, self.patience)

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

        A BOS of the server's own is counted as the handshake has found it, and before the handshake
        as the tokenizer's file tells; nobody is asked here.
        """
        if self.tokens is None:
            return None
        agreed: Agreement | None = self.__dict__.get("agreement")
        extra = self._guess_bos() if agreed is None else agreed.extra_tokens
        return len(self.tokens.encode(prompt, language)) + (extra or 0)

    def _guess_bos(self) -> int:
        """The BOS that a server adds to texts: the one that the tokenizer should put, and does not.

        Token ids go as they are, but nobody knows yet whether they are taken.
        """
        chat = self.server.entry.api == "chat"
        return int(self.tokens is not None and not chat and self.tokens.lacks_bos)

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
        length = self.count_tokens(variant.prompt, variant.task.language) or 0
        fits = length < self.window
        return "" if fits else f"prompt of {length} tokens, window of {self.window}"

    def prompt_length(self, prompt: str) -> int:
        return len(prompt)

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:
        return gather_streamed(self.stream(iter(rows), sampling), rows)

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

    def bound_check(self, variant: Variant) -> Usage:
        """Bounds what is asked before this row, to find out whether its prompt is cut."""
        agreed: Agreement | None = self.__dict__.get("agreement")
        if agreed is None:
            return Usage()
        text = fill_template(variant.prompt, variant.task.language, self.server.spec)
        return self._lengths.bound(clean_text(text), agreed, len(self.server.addresses))

    def _prepare(self, row: Row, sampling: Sampling, agreed: Agreement) -> SentRow:
        """Makes a row's request, once no server is known to cut a prompt of its length."""
        sent = self._make_request(row, sampling, agreed)
        self._lengths.run(sent.text, agreed, [self.patient(lane) for lane in self.lanes])
        return sent

    def _make_request(self, row: Row, sampling: Sampling, agreed: Agreement) -> SentRow:
        prompt, language = row.variant.prompt, row.variant.task.language
        text = clean_text(fill_template(prompt, language, self.server.spec))
        asked = AskedRow(text, None, sampling.max_new_tokens)
        if self.tokens is not None:
            ids = self.tokens.encode(prompt, language)
            as_ids = agreed.takes_ids and agreed.api == "completions"
            extra = 0 if as_ids else agreed.extra_tokens
            room = sampling.max_new_tokens
            if self.window is not None:
                left = self.window - len(ids) - (extra or 0)
                room = steps_within(max(left, 1), room)
            counted = None if extra is None else len(ids) + extra
            asked = AskedRow(ids if as_ids else text, counted, room)
        body = make_body(asked, row.noise, sampling, agreed, self.server.entry)
        return SentRow(row, body, asked.tokens, text)

    def _read(
        self, reply: Reply, sent: SentRow, sampling: Sampling, agreed: Agreement
    ) -> ServedAnswer:
        found = read_answer(reply.body, sampling, sent.prompt_bytes, reply.seconds)
        check_same(self.server.label, found, agreed)
        if None not in (sent.tokens, found.prompt_tokens) and sent.tokens != found.prompt_tokens:
            raise ModelError(
                f"{self.server.label}: the server counts {found.prompt_tokens} tokens in a prompt "
                f"of {sent.tokens}; it cuts prompts, adds to them, or has another tokenizer"
            )
        return found
