"""Split of knowledge cases into those that train an encoder and those that decide about it.

Two thirds of the cases train; of the others a quarter chooses the best epoch, and the rest
calibrates. No prompt of these is in the training, or the calibration would be about prompts that
are known. Where cases are one another's neighbours (found by TF-IDF, or functions of one file), a
held-out case takes its neighbours out of the training: they are set aside, within the third. So of
every few cases that one is held out which takes the fewest with it. (The fewest of all would be
those in dense places only, whose calibration is too strict for others.)
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_coderobust.errors import UsageError

LEAST = 24
"""Cases below which nothing is trained."""

_LEAST_FIT, _LEAST_CALIBRATE = LEAST * 2 // 3, LEAST // 4
"""Cases that must be left to each part; the training must have half as many neighbours, too."""


_FEW = 8
"""Cases of which one is held out. On `tiny`, 4 leave half as many to calibrate, and 16 are no more
specific on fresh cases."""


@dataclass(frozen=True, slots=True)
class PromptGroup:
    """Prompts of one case: itself, those that ask for the same, and others."""

    anchor: str
    positives: tuple[str, ...]
    negatives: tuple[str, ...]

    @property
    def prompts(self) -> tuple[str, ...]:
        """All of them."""
        return (self.anchor, *self.positives, *self.negatives)


@dataclass(frozen=True, slots=True)
class GroupSplit:
    """Groups in three parts; no prompt of `select` and `calibrate` is in `fit`."""

    fit: tuple[PromptGroup, ...]
    select: tuple[PromptGroup, ...]
    calibrate: tuple[PromptGroup, ...]

    @property
    def bank(self) -> tuple[str, ...]:
        """The training's inputs and neighbours, each once."""
        return tuple(dict.fromkeys(e for g in self.fit for e in (g.anchor, *g.negatives)))

    @property
    def negatives(self) -> int:
        """Number of neighbours that are left to the training."""
        return sum(len(group.negatives) for group in self.fit)


def split_groups(name: str, groups: Sequence[PromptGroup], seed: int) -> GroupSplit:
    """Splits groups by a seed.

    Args:
        name: of the case set, for the message.

    Raises:
        UsageError: the held-out cases leave too little to train on.
    """
    order = list(groups)
    random.Random(f"split {seed}").shuffle(order)
    first, second = len(order) * 2 // 3, len(order) * 3 // 4
    turned = [*order[first:], *order[:first]]  # those that share nothing are held out in this order
    held, touched = _hold_out(turned, len(order) - first)
    known = {each for place in held for each in turned[place].prompts}
    chosen = len(held) * (second - first) // (len(order) - first)
    split = GroupSplit(
        tuple(
            replace(group, negatives=tuple(e for e in group.negatives if e not in known))
            for place, group in enumerate(turned)
            if place not in touched
        ),
        tuple(turned[place] for place in held[:chosen]),
        tuple(turned[place] for place in held[chosen:]),
    )
    few = len(split.fit) < _LEAST_FIT or len(split.calibrate) < _LEAST_CALIBRATE
    if few or split.negatives < len(split.fit) // 2:
        raise UsageError(
            f"train={name}: its cases share too many prompts: apart from one another, "
            f"{len(split.fit)} can train, with {split.negatives} neighbours, and "
            f"{len(split.calibrate)} calibrate; an encoder takes at least {_LEAST_FIT}, half as "
            f"many neighbours, and {_LEAST_CALIBRATE}: give more cases or other neighbours"
        )
    return split


def _hold_out(groups: Sequence[PromptGroup], most: int) -> tuple[list[int], set[int]]:
    """Chooses groups one by one: of the next few the one that takes the fewest others with it.

    Args:
        most: groups that may be taken out of the training.

    Returns:
        The places of those that are held out, in order, and of all that are taken out: their input,
        or a prompt that asks for the same, is a prompt of those that are held out.
    """
    owners: defaultdict[str, list[int]] = defaultdict(list)
    for place, group in enumerate(groups):
        for each in {group.anchor, *group.positives}:
            owners[each].append(place)
    takes = [{at for each in g.prompts for at in owners.get(each, ())} for g in groups]
    waiting = deque(range(len(groups)))
    held: list[int] = []
    touched: set[int] = set()
    while waiting:
        few = [waiting.popleft() for _ in range(min(_FEW, len(waiting)))]
        costs = [len(takes[place] - touched) for place in few]
        best = costs.index(min(costs))
        if len(touched) + costs[best] > most:
            break
        held.append(few[best])
        touched |= takes[few[best]]
        equal = [at for at, cost in enumerate(costs) if cost == costs[best] and at != best]
        waiting.extendleft(few[at] for at in reversed(equal))
        waiting.extend(few[at] for at, cost in enumerate(costs) if cost > costs[best])
    return sorted(held), touched
