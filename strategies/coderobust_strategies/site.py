"""A site is one place of a prompt with the edits that may happen there; samplers draw from sites.

Papers' rates, Hypothesis' search and the minimiser all draw from the same sites, which is why any
failure shrinks towards the clean prompt.
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
    """The alternatives at one place, simplest first; never empty, never a no-op."""

    edits: tuple[Edit, ...]

    @property
    def start(self) -> int:
        return self.edits[0].start


def noise(*key: str | int) -> random.Random:
    """A generator that depends on `key` alone: same key, same draws, on every machine.

    Only its `random()` may be used: the one method that Python promises to keep stable.
    """
    text = json.dumps(key, ensure_ascii=True, separators=(",", ":"))
    return random.Random(int.from_bytes(hashlib.sha256(text.encode("ascii")).digest(), "big"))


def pick(choices: Sequence[T], rng: random.Random) -> T:
    """One of `choices`, uniformly."""
    return choices[int(rng.random() * len(choices))]


def sample(sites: Iterable[Site], rate: float, rng: random.Random) -> tuple[Edit, ...]:
    """Edits of each site with probability `rate`, and at least one if there is a site at all.

    The papers leave a prompt unchanged when no draw succeeds and still count it as perturbed;
    here one site is then drawn uniformly, so that a variant always differs from its prompt.
    An edit that overlaps the one before it is dropped.
    """
    places = sorted(sites, key=lambda site: site.start)
    drawn = [pick(site.edits, rng) for site in places if rng.random() < rate]
    if not drawn and places:
        drawn = [pick(pick(places, rng).edits, rng)]
    return compatible(drawn)


def sample_exactly(sites: Iterable[Site], rate: float, rng: random.Random) -> tuple[Edit, ...]:
    """Edits of the share `rate` of the sites, rounded down but at least one, drawn uniformly."""
    places = sorted(sites, key=lambda site: site.start)
    wanted = max(1, int(len(places) * min(rate, 1.0)))
    keyed = sorted((rng.random(), index) for index in range(len(places)))
    chosen = sorted(index for _, index in keyed[:wanted])
    return compatible(pick(places[index].edits, rng) for index in chosen)


def compatible(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """In order, without the edits that touch the same text or place as one before them."""
    kept: list[Edit] = []
    for edit in sorted(edits):
        if not kept or _disjoint(kept[-1], edit):
            kept.append(edit)
    return tuple(kept)


def _disjoint(before: Edit, after: Edit) -> bool:
    """Whether both can apply; two insertions at one place would depend on their order."""
    if before.start == after.start:
        return False
    return before.stop <= after.start
