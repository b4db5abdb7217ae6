"""Handshake with a server: what it is, what it obeys, and whether it can be measured at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_coderobust.models.served.handshake_claims import (
    ListedModel,
    ServerKind,
    read_claims,
)
from pytest_coderobust.models.served.handshake_names import check_answered, find_listed
from pytest_coderobust.models.served.handshake_probes import Prober, ServerApi
from pytest_coderobust.models.served.handshake_seeds import SeedsWord, try_seeds
from pytest_coderobust.models.served.handshake_terms import (
    LimitWord,
    Terms,
    agree_on_terms,
    first_terms,
)
from pytest_coderobust.models.served.handshake_tokens import (
    TokenIds,
    compare_tokens,
    refuse_truncation,
)
from pytest_coderobust.models.served.transport import Transport
from pytest_coderobust.records import digest

HANDSHAKE = 1
"""Raised when a handshake finds or sends something else for the same server."""


@dataclass(frozen=True, slots=True)
class HandshakeWish:
    """Knowledge about a server's model before the server is asked.

    Attributes:
        label: the model as the user wrote it, for messages.
        model: the id that requests shall carry; "" takes the one model that is listed.
        api: the form of the requests.
        hosted: the address is a provider's.
        alias: the provider may answer for a model of another name.
        window: the stated window, in tokens.
        fields: the user's own body fields; they win over the neutral ones.
        encode: gives a prompt's token ids as the network shall get them (special tokens and, on
            chat, the template included); None where no tokenizer is stated.
        bos: id of the token that texts begin with, if the tokenizer has one.
    """

    label: str
    model: str = ""
    api: ServerApi = "completions"
    hosted: bool = False
    alias: bool = False
    window: int | None = None
    fields: Mapping[str, object] = field(default_factory=dict[str, object])
    encode: TokenIds | None = None
    bos: int | None = None


@dataclass(frozen=True, slots=True)
class Handshake:
    """Facts that a server showed of itself; `key_parts` belong into the key of every answer.

    Attributes:
        version: as the server says it ("" where it does not).
        model: the id that requests carry.
        answered: the name that the server answered as; it can name a snapshot of `model`.
        word: the field that limits the tokens.
        stop_limit: number of stop strings that one request may have.
        seeds: whether a sample can be drawn again; "refused" says that no seed may be sent.
        takes_ids: prompts go as token ids.
        extra_tokens: tokens that the server puts before a text of ours: 1 for a BOS, else 0; None
            where no tokenizer says how many there should be.
        window: tokens that prompt and completion may have together; None where nobody says.
        neutral: body fields that switch off what the server would do by itself; send them all.
        refused_fields: neutral fields that it does not take, so that its defaults remain.
        claims: what the server's list says of the model.
        template: the chat template that the server says it uses, or "".
    """

    kind: ServerKind
    version: str
    api: ServerApi
    model: str
    answered: str
    word: LimitWord
    stop_limit: int
    seeds: SeedsWord
    takes_ids: bool
    extra_tokens: int | None
    window: int | None
    neutral: Mapping[str, object]
    refused_fields: tuple[str, ...]
    fingerprint: str
    claims: ListedModel
    template: str = ""

    @property
    def key_parts(self) -> tuple[object, ...]:
        """JSON-able parts of the key: what decides which answer the same request gets.

        Of seeds it is whether they are sent. Whether they are obeyed is a finding of three texts
        that chance decides where they are not, and would make another model of one server.
        """
        return (
            HANDSHAKE,
            self.kind,
            self.api,
            self.word,
            self.stop_limit,
            self.seeds != "refused",
            self.takes_ids,
            dict(self.neutral),
            *([self._applied] if self._applied else []),
        )

    @property
    def _applied(self) -> str:
        """Digest of the template that is put around messages; "" where none is told."""
        applied = self.api == "chat" and self.template
        return digest("chat template", self.template) if applied else ""

    @property
    def facts(self) -> dict[str, str]:
        """Lines that a report shows, in order."""
        seeds = f"{self.seeds}: samples cannot be repeated"
        found = {
            "server": f"{self.kind} {self.version}".strip(),
            "fingerprint": self.fingerprint,
            "prompts sent as": "token ids" if self.takes_ids else "text",
            "chat template": self._applied[:12],
            "stop strings": f"at most {self.stop_limit} a request, all cut here",
            "seeds": self.seeds if self.seeds == "honoured" else seeds,
            "window": "" if self.window is None else str(self.window),
            "sampling defaults": "" if self.neutral else "the server's own, but temperature, top_p",
            "not neutral": ", ".join(self.refused_fields),
        }
        return {key: value for key, value in found.items() if value}


def shake_hands(transport: Transport, wanted: HandshakeWish) -> Handshake:
    """Finds out what a server is and which fields it obeys: at most 12 small requests.

    Transport that is patient with a server that still loads (503) is the caller's to give.

    Raises:
        ModelError: the model is not there, or the server cannot be measured: it answers for
            another model, ignores the limit of tokens, or counts other tokens than the tokenizer.
        TransportError: no answer came back.
    """
    claims = read_claims(transport, hosted=wanted.hosted)
    listed = find_listed(claims, wanted.model, wanted.label)
    prober = Prober(transport, wanted.label, listed.id, wanted.api, wanted.fields)
    terms, answer = agree_on_terms(prober, first_terms(claims.kind, wanted.api, wanted.fields))
    kind = check_answered(prober, claims, listed, answer, alias=wanted.alias)
    takes_ids, extra = compare_tokens(prober, wanted.encode, wanted.bos, terms, answer)
    return Handshake(
        kind=kind,
        version=claims.version,
        api=wanted.api,
        model=listed.id,
        answered=answer.model,
        word=terms.word,
        stop_limit=terms.stop_limit,
        seeds=try_seeds(prober, terms),
        takes_ids=takes_ids,
        extra_tokens=extra,
        window=_find_window(prober, kind, wanted, listed),
        neutral=terms.neutral,
        refused_fields=terms.refused,
        fingerprint=answer.fingerprint,
        claims=listed,
        template=claims.template,
    )


def check_truncation(
    transport: Transport, shaken: Handshake, wanted: HandshakeWish, longest: str
) -> None:
    """Refuses a server that silently cuts the longest prompt: three or four requests of one token.

    Needed only where no count can be compared with a tokenizer's (`extra_tokens` is None).

    Raises:
        ModelError: the server truncates prompts.
        TransportError: no answer came back.
    """
    prober = Prober(transport, wanted.label, shaken.model, shaken.api, wanted.fields)
    terms = Terms(shaken.word, shaken.stop_limit, shaken.neutral, shaken.refused_fields)
    refuse_truncation(prober, terms, longest)


def _find_window(
    prober: Prober, kind: ServerKind, wanted: HandshakeWish, listed: ListedModel
) -> int | None:
    """Finds the window: the smaller of the stated one and the server's.

    Raises:
        ModelError: nobody says it, and the server checks nothing by itself.
    """
    said = [window for window in (listed.window, wanted.window) if window is not None]
    if not said and kind == "transformers":
        raise prober.refusal(
            "does not say how many tokens fit into its window, and goes on beyond it; state it: "
            f"window = N in [tool.coderobust.models.NAME] of {wanted.label!r}"
        )
    return min(said, default=None)
