"""Toy edits, and predicates that say whether a set of edits breaks an imaginary model.

An edit is (site, operation, alternative): 40 sites, 9 operations of which the first four stand for
changes of characters, 4 alternatives. Sites are drawn anew by each seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

SITES, OPERATIONS, ALTERNATIVES = 40, 9, 4
CHARACTER, WORD = range(4), range(4, OPERATIONS)

ToyEdit = tuple[int, int, int]
Edits = frozenset[ToyEdit]


@dataclass(frozen=True)
class Toy:
    """A predicate with a failure of `size` edits, and the one answer where there is only one."""

    breaks: Callable[[Edits], bool]
    first: Edits
    answer: Edits | None


def toy(kind: str, seed: int, size: int = 12) -> Toy:
    rng = random.Random(seed)
    a, b, c = rng.sample(range(SITES), 3)

    def first_of(*needed: tuple[int, range]) -> Edits:
        free = [site for site in range(SITES) if site not in {each for each, _ in needed}]
        rng.shuffle(free)
        chosen = [(site, rng.choice(operations)) for site, operations in needed]
        chosen += [(site, rng.randrange(OPERATIONS)) for site in free[: size - len(needed)]]
        return frozenset((*each, rng.randrange(ALTERNATIVES)) for each in chosen)

    at_a, at_b, at_c = has(a, CHARACTER), has(b, WORD), has(c, CHARACTER)
    if kind == "one cause":
        return Toy(at_a, first_of((a, CHARACTER)), frozenset({(a, 0, 0)}))
    if kind == "two causes":
        needed = first_of((a, CHARACTER), (b, WORD))
        return Toy(lambda s: at_a(s) and at_b(s), needed, frozenset({(a, 0, 0), (b, 4, 0)}))
    everything = first_of((a, CHARACTER), (b, WORD), (c, CHARACTER))
    if kind == "three causes":
        answer = frozenset({(a, 0, 0), (b, 4, 0), (c, 0, 0)})
        return Toy(lambda s: at_a(s) and at_b(s) and at_c(s), everything, answer)
    if kind == "two alternative causes":
        return Toy(lambda s: at_a(s) or at_b(s), everything, None)
    assert kind == "an edit that rescues"
    return Toy(lambda s: at_a(s) and (at_c(s) or not at_b(s)), everything, None)


KINDS = (
    "one cause",
    "two causes",
    "three causes",
    "two alternative causes",
    "an edit that rescues",
)


def has(site: int, operations: range) -> Callable[[Edits], bool]:
    return lambda edits: any(each[0] == site and each[1] in operations for each in edits)


def simpler(edit: ToyEdit, _edits: Edits) -> list[ToyEdit]:
    site, operation, alternative = edit
    return [(site, each, 0) for each in range(operation + bool(alternative))]
