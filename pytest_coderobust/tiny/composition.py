"""Held-out compositions: those that training never shows and only the suite asks for.

Some compositions can be asked for although training never shows them: those with a fair part (a
number, a letter, a shared condition) or with two parts. A few compositions of every such family
are held out, the same ones for every seed. The other families have too few compositions to spare
one. For them the suite holds out sentences instead.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

from pytest_coderobust.records import digest
from pytest_coderobust.tiny.family import Composition, Family

HELD_OUT = 4
"""Most compositions held out of one family."""

_SMALLEST = 8
"""A family with fewer compositions than this holds none out."""


@cache
def held_out_keys(family_name: str) -> tuple[str, ...]:
    """Lists the keys of a family's compositions that training never shows."""
    from pytest_coderobust.tiny.families import FAMILIES

    family = next(family for family in FAMILIES if family.name == family_name)
    every = list(family.compositions())
    if len(every) < _SMALLEST:
        return ()
    wanted = min(HELD_OUT, len(every) // 4)
    return tuple(composition.key for composition in _spare(every, wanted))


def _spare(every: list[Composition], wanted: int) -> list[Composition]:
    """Chooses `wanted` compositions to hold out, or fewer.

    They are taken in the order of a digest, which looks random and never changes. A composition is
    passed over if training would no longer show one of its closed choices, or if one with the same
    groups of choices is held out already.
    """
    left = Counter(choice for composition in every for choice in _closed_choices(composition))
    spared: list[Composition] = []
    groups: set[tuple[str, ...]] = set()
    for composition in sorted(every, key=lambda one: digest("held out", one.key)):
        group = tuple(choice.group for choice in composition.choices)
        if len(spared) == wanted:
            break
        if group in groups or any(left[choice] <= 1 for choice in _closed_choices(composition)):
            continue
        left.subtract(_closed_choices(composition))
        groups.add(group)
        spared.append(composition)
    return spared


def _closed_choices(composition: Composition) -> list[str]:
    """Lists the choices that no other family teaches: the groups of parts that are not fair."""
    pairs = zip(composition.family.parts, composition.choices, strict=True)
    if len(composition.family.parts) == 1 and not composition.family.parts[0].fair:
        return [composition.key]
    return [f"{part.name}={choice.group}" for part, choice in pairs if not part.fair]


def has_open_meaning(family: Family) -> bool:
    """Says whether compositions of this family are held out of training."""
    return bool(held_out_keys(family.name))
