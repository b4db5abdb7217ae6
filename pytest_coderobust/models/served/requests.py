"""Requests to a served model: one for each sample, in the form that its server takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    stop = list(sampling.stop[: agreement.stop_limit])
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
