"""Requests to a served model: one for each sample, in the form that its server takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.models.served.agreement import Agreement
from pytest_coderobust.records import Sampling

SEEDS = 2**31 - 1
"""Number of seeds that every server takes; some read -1 and 2^32-1 as "random"."""


@dataclass(frozen=True, slots=True)
class AskedRow:
    """A row in the form of a request.

    Attributes:
        prompt: the text, template included, or its token ids.
        tokens: the number that the server must count in the prompt; None where that is unknown.
        room: tokens that the answer may have.
    """

    prompt: str | Sequence[int]
    tokens: int | None
    room: int


@cache
def choose_stops(stops: tuple[str, ...]) -> tuple[str, ...]:
    """Chooses stop strings that a server may cut at without hiding one that began before.

    Where a server cuts at "```" it removes the evidence of "\\n```", which began before. So a stop
    that can begin inside another one goes only where the other goes before it and ends before it.
    A stop that begins with another one says nothing new. Any first part of the result will do.
    """
    needed = [
        one
        for place, one in enumerate(stops)
        if one not in stops[:place]
        and not any(one != other and one.startswith(other) for other in stops)
    ]
    chosen: list[str] = []
    while fit := next(
        (one for one in needed if one not in chosen and _fits(one, needed, chosen)), ""
    ):
        chosen.append(fit)
    return tuple(chosen)


def _fits(one: str, needed: Sequence[str], chosen: Sequence[str]) -> bool:
    """Whether a stop hides none, where those chosen go before it."""
    for other in needed:
        for place in range(1, len(other) if other != one else 0):
            tail = other[place:]
            if tail.startswith(one) or (one.startswith(tail) and other not in chosen):
                return False
    return True


def find_path(agreement: Agreement) -> str:
    """Finds the path below a server's address."""
    return "/chat/completions" if agreement.api == "chat" else "/completions"


def make_body(
    asked: AskedRow, noise: int, sampling: Sampling, agreement: Agreement, entry: ServerEntry
) -> dict[str, object]:
    """Makes a request's body: one sample, never `n`.

    The seed is left out at temperature 0, where it decides nothing and some hosted models refuse
    it. As many stop strings go as the server takes; the client cuts at all of them.
    """
    stop = list(choose_stops(sampling.stop)[: agreement.stop_limit])
    prompt = asked.prompt if isinstance(asked.prompt, str) else list(asked.prompt)
    seeded = not sampling.greedy and agreement.seeds != "refused"
    chat = agreement.api == "chat"
    fields: Mapping[str, object] = {
        "model": agreement.model,
        **({"messages": [{"role": "user", "content": prompt}]} if chat else {"prompt": prompt}),
        agreement.word: asked.room,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        **({"seed": noise % SEEDS} if seeded else {}),
        **({"stop": stop} if stop else {}),
        **({"reasoning_effort": entry.reasoning} if entry.reasoning else {}),
    }
    return {**agreement.neutral, **fields, **entry.sampling_fields}
