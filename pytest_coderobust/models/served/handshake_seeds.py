"""Seeds of a server: whether the same seed draws the same sample again."""

from __future__ import annotations

from itertools import takewhile
from typing import Literal

from pytest_coderobust.models.served.handshake_probes import SEED_PROMPT, Prober, blamed_fields
from pytest_coderobust.models.served.handshake_terms import Terms

SeedsWord = Literal["honoured", "ignored", "refused", "not shown"]

SEED_TOKENS = 32
_SEEDS = (11, 11, 12)
SEEDS_TRIED = len(_SEEDS)


def try_seeds(prober: Prober, terms: Terms) -> SeedsWord:
    """Draws one text twice with one seed and once with another: at most three requests.

    A server that is busy can round otherwise and leave a repeated text in its middle, so two texts
    that are equal for longer than their first half count as equal.

    Raises:
        ModelError: the server refuses the request for another reason than its seed.
    """
    texts: list[str] = []
    for seed in _SEEDS:
        fields = {**terms.limits(SEED_TOKENS), "temperature": 1.0, "top_p": 1.0, "seed": seed}
        reply = prober.ask(SEED_PROMPT, fields)
        if reply.status in (400, 422) and "seed" in blamed_fields(reply, fields):
            return "refused"
        texts.append(prober.read(reply).text)
    first, again, other = texts
    if _shared(first, again) * 2 < max(len(first), len(again)):
        return "ignored"
    return "not shown" if _shared(first, other) >= _shared(first, again) else "honoured"


def _shared(one: str, two: str) -> int:
    """Number of characters that two texts begin with together."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, two, strict=False)))
