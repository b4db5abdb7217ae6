"""Sites (places of a prompt with the edits possible there) and the samplers that draw from them.

The samplers at the papers' rates, Hypothesis' search and the minimiser all draw from the same
sites. That is why any failure shrinks towards the clean prompt.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from coderobust_strategies.edit import Edit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Site:
    """The alternative edits at one place, simplest first: at least one, and each changes text."""

    edits: tuple[Edit, ...]

    @property
    def start(self) -> int:
        return self.edits[0].start


def noise(*key: str | int) -> random.Random:
    """Makes a random generator from `key` alone: same key, same draws, on every machine.

    Use only its method `random()`, the one that Python promises to keep stable.
    """
    text = json.dumps(key, ensure_ascii=True, separators=(",", ":"))
    return random.Random(int.from_bytes(hashlib.sha256(text.encode("ascii")).digest(), "big"))


def pick(choices: Sequence[T], rng: random.Random) -> T:
    """Draws one of `choices` uniformly."""
    return choices[int(rng.random() * len(choices))]


def sample(sites: Iterable[Site], rate: float, rng: random.Random) -> tuple[Edit, ...]:
    """Draws an edit of each site with probability `rate`, and at least one if there is a site.

    The papers leave a prompt unchanged when no draw succeeds, and still count it as perturbed.
    Here one site is then drawn uniformly, so that a variant always differs from its prompt.
    An edit that overlaps the one before it is dropped.
    """
    places = sorted(sites, key=lambda site: site.start)
    drawn = [pick(site.edits, rng) for site in places if rng.random() < rate]
    if not drawn and places:
        drawn = [pick(pick(places, rng).edits, rng)]
    return drop_overlaps(drawn)


def sample_exactly(sites: Iterable[Site], rate: float, rng: random.Random) -> tuple[Edit, ...]:
    """Draws edits of a share `rate` of the sites: rounded down, at least one, uniformly."""
    places = sorted(sites, key=lambda site: site.start)
    wanted = max(1, int(len(places) * min(rate, 1.0)))
    # `random.sample` may change between versions of Python; sorting by `random()` does not.
    keyed = sorted((rng.random(), index) for index in range(len(places)))
    chosen = sorted(index for _, index in keyed[:wanted])
    return drop_overlaps(pick(places[index].edits, rng) for index in chosen)


def drop_overlaps(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Sorts edits and drops each that touches the same text or place as one kept before it."""
    kept: list[Edit] = []
    for edit in sorted(edits):
        if not kept or _disjoint(kept[-1], edit):
            kept.append(edit)
    return tuple(kept)


def _disjoint(before: Edit, after: Edit) -> bool:
    """Says whether both edits apply. Two insertions at one place do not: their order counts."""
    if before.start == after.start:
        return False
    return before.stop <= after.start
