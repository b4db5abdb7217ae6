"""Terms of a server: the fields that it takes, found by one request that is made simpler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pytest_coderobust.models.served.handshake_claims import ServerKind
from pytest_coderobust.models.served.handshake_probes import (
    OPEN_PROMPT,
    ProbeAnswer,
    Prober,
    ServerApi,
    blamed_fields,
)
from pytest_coderobust.models.served.transport import Reply

LimitWord = Literal["max_tokens", "max_completion_tokens"]

STOPS = (32, 4, 1, 0)
"""Numbers of stop strings that are tried, one after the other."""

PROBE_TOKENS = 3
_CHANGES = 4
"""Number of times the first request is made simpler before the server is refused."""

_VLLM: Mapping[str, object] = {
    "top_k": 0,
    "min_p": 0.0,
    "repetition_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
}
NEUTRAL: Mapping[ServerKind, Mapping[str, object]] = {
    "vllm": _VLLM,
    "sglang": {**_VLLM, "top_k": -1},
    "llamacpp": {
        "top_k": 0,
        "min_p": 0.0,
        "repeat_penalty": 1.0,
        "mirostat": 0,
        # Its own order takes top_p first and the temperature last; all other samplers are left out.
        "samplers": ["temperature", "top_p"],
    },
}
"""Values that switch off what a server would add by itself; a kind without a row takes none."""

STEADY: Mapping[str, Mapping[str, object]] = {"llamacpp": {"cache_prompt": False}}
"""Fields by kind that make a request's numbers independent of the requests before it.

llama.cpp's cache of prompts moved log-probabilities of a Q4_1 model by up to 0.14: tokens that are
in it are computed in other batches than tokens that are not. It is left on for suites, whose
samples of one prompt it makes up to twice as fast.
"""


@dataclass(frozen=True, slots=True)
class Terms:
    """The fields that a server takes.

    Attributes:
        word: the field that limits the tokens.
        stop_limit: the number of stop strings that one request may have.
        neutral: the body fields that switch the server's own defaults off.
        refused: neutral fields that it would not take.
    """

    word: LimitWord
    stop_limit: int
    neutral: Mapping[str, object]
    refused: tuple[str, ...] = ()

    def limits(self, tokens: int) -> dict[str, object]:
        """Body fields of every request: the limit of tokens, and the neutral ones."""
        return {self.word: tokens, **self.neutral}


def first_terms(kind: ServerKind, api: ServerApi, stated: Mapping[str, object]) -> Terms:
    """Makes the terms to begin with.

    Args:
        stated: fields of the user's own, which take the place of neutral ones.
    """
    neutral = {key: value for key, value in NEUTRAL.get(kind, {}).items() if key not in stated}
    word: LimitWord = "max_completion_tokens" if (kind, api) == ("hosted", "chat") else "max_tokens"
    return Terms(word, STOPS[0], neutral)


def agree_on_terms(prober: Prober, terms: Terms) -> tuple[Terms, ProbeAnswer]:
    """Asks for three tokens at temperature 0 until a form of the request is taken and obeyed.

    Returns the terms and the answer that showed them. At most five requests.

    Raises:
        ModelError: no form is taken, or the limit of tokens is not obeyed.
    """
    said_word: set[LimitWord] = {terms.word}
    for _ in range(_CHANGES + 1):
        fields = _fields(terms)
        reply = prober.ask(OPEN_PROMPT, fields)
        simpler = _simplify(terms, reply, fields, said_word)
        if simpler is not None:
            terms = simpler
        elif _obeyed(answer := prober.read(reply)):
            return terms, answer
        elif (other := _other(terms.word)) not in said_word:
            terms = replace(terms, word=other)
        else:
            raise prober.refusal(
                f"ignores {' and '.join(sorted(said_word))}: {PROBE_TOKENS} tokens were asked for, "
                f"and {_length(answer)} came"
            )
        said_word.add(terms.word)
    raise prober.refusal(f"took none of {_CHANGES + 1} forms of a small request to {prober.path}")


def _fields(terms: Terms) -> dict[str, object]:
    fields: dict[str, object] = {**terms.limits(PROBE_TOKENS), "temperature": 0.0, "top_p": 1.0}
    if terms.stop_limit:
        fields["stop"] = [f"<<coderobust {place}>>" for place in range(terms.stop_limit)]
    return fields


def _simplify(
    terms: Terms, reply: Reply, sent: Mapping[str, object], said_word: set[LimitWord]
) -> Terms | None:
    """Makes simpler terms of a refusal that names a field; None where nothing can be changed."""
    if reply.status not in (400, 422):
        return None
    named = blamed_fields(reply, sent)
    dropped = tuple(field for field in named if field in terms.neutral)
    if dropped:
        kept = {key: value for key, value in terms.neutral.items() if key not in dropped}
        return replace(terms, neutral=kept, refused=(*terms.refused, *dropped))
    if terms.word in named and (other := _other(terms.word)) not in said_word:
        return replace(terms, word=other)
    if "stop" in named and terms.stop_limit:
        return replace(terms, stop_limit=STOPS[STOPS.index(terms.stop_limit) + 1])
    return None


def _other(word: LimitWord) -> LimitWord:
    return "max_completion_tokens" if word == "max_tokens" else "max_tokens"


def _obeyed(answer: ProbeAnswer) -> bool:
    """Whether the limit of tokens was kept; without a count, the length of the text tells."""
    if answer.written is not None:
        return answer.written <= PROBE_TOKENS
    return answer.finish == "length" or len(answer.text) <= 8 * PROBE_TOKENS


def _length(answer: ProbeAnswer) -> str:
    return f"{len(answer.text)} characters" if answer.written is None else str(answer.written)
