"""Which compositions training may show, and which only the suite asks for.

A composition that turns on a fair part (a number, a letter, a shared condition) or on two parts
can be asked for without ever being shown; of every such family a few are held out, the same ones
for every seed. The others have too few meanings to spare one: the suite holds out sentences.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

from pytest_coderobust.records import digest
from pytest_coderobust.tiny.family import Composition, Family

HELD_OUT = 4
"""Compositions held out of a family, at most."""

_SMALLEST = 8
"""A family with fewer compositions than this holds none out."""


@cache
def held_out(family_name: str) -> tuple[str, ...]:
    """Keys of the compositions of a family that training never shows."""
    from pytest_coderobust.tiny.families import FAMILIES

    family = next(family for family in FAMILIES if family.name == family_name)
    every = list(family.compositions())
    if len(every) < _SMALLEST:
        return ()
    wanted = min(HELD_OUT, len(every) // 4)
    return tuple(composition.key for composition in _spared(every, wanted))


def _spared(every: list[Composition], wanted: int) -> list[Composition]:
    """The first `wanted` in order of digest whose every closed choice is still shown elsewhere."""
    left = Counter(choice for composition in every for choice in _closed(composition))
    spared: list[Composition] = []
    groups: set[tuple[str, ...]] = set()
    for composition in sorted(every, key=lambda one: digest("held out", one.key)):
        group = tuple(choice.group for choice in composition.choices)
        if len(spared) == wanted:
            break
        if group in groups or any(left[choice] <= 1 for choice in _closed(composition)):
            continue
        left.subtract(_closed(composition))
        groups.add(group)
        spared.append(composition)
    return spared


def _closed(composition: Composition) -> list[str]:
    """What this family alone can teach: the groups of its closed parts."""
    pairs = zip(composition.family.parts, composition.choices, strict=True)
    if len(composition.family.parts) == 1 and not composition.family.parts[0].fair:
        return [composition.key]
    return [f"{part.name}={choice.group}" for part, choice in pairs if not part.fair]


def has_open_meaning(family: Family) -> bool:
    """Whether compositions of this family are held out of training."""
    return bool(held_out(family.name))
