"""Attribution of a change in pass rate to compiling and to what comes after it: Shapley's values.

A pass rate is P = C Q: the share C that compiles, and of those the share Q that passes. From
(C0, Q0) to (C1, Q1) the two factors bring

    compile = (C1 - C0) (Q0 + Q1) / 2        post = (Q1 - Q0) (C0 + C1) / 2

whose sum is P1 - P0, always: the Shapley values of a game of two players (Shapley 1953). Here in
exact fractions, per task and then averaged; pooled rates, which mix tasks and can blame the wrong
factor, stand beside. Where nothing compiles on one side, Q is not defined there: the other side's
is taken, which makes the whole change the compiling's, and the task is flagged.

The interval is a bootstrap over changes (percentiles): the tasks of one change stay together, with
both sides of each. Over tasks it would cover far less where changes differ from one another. One
pseudo-change of the mean size is drawn with them, spread evenly over the extremes, after Agresti
and Min (2005) as in `bootstrap`: percentiles of few changes are too short, and changes that look
alike (nothing lost in ten) would claim to be sure. docs/metrics.md has the coverage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, fsum

from pytest_coderobust.errors import UsageError
from pytest_coderobust.metrics.bootstrap import draw_tasks, take_middle
from pytest_coderobust.metrics.interval import CONFIDENCE, Estimate

FEW = 10
"""Fewer groups than this make an interval that is marked."""
SEED = 25111182
DIFFERENCE = (-1.0, 0.0, 1.0)
"""The extremes of a difference: everything is lost, nothing changes, or everything is won."""
RATE = (0.0, 1.0)
"""The extremes of a rate."""


@dataclass(frozen=True, slots=True)
class CompileCounts:
    """Samples of one task on one side: all, those that compile, those that pass."""

    n: int
    compiled: int
    passed: int

    def __post_init__(self) -> None:
        if not 0 <= self.passed <= self.compiled <= self.n or not self.n:
            raise ValueError(
                f"{self.passed} passing of {self.compiled} compiling of {self.n} samples is not "
                "a valid count"
            )


@dataclass(frozen=True, slots=True)
class Factors:
    """The two factors of a pass rate.

    Attributes:
        compiled: C, the share that compiles.
        passed: Q, the share of those that passes; None where nothing compiles.
    """

    compiled: Fraction
    passed: Fraction | None

    @property
    def rate(self) -> Fraction:
        """The pass rate, C Q."""
        return self.compiled * self.passed if self.passed is not None else Fraction(0)


def compute_factors(counts: CompileCounts, k: int = 1) -> Factors:
    """Computes the factors of pass@k, each unbiased: compile@k, and pass@k / compile@k.

    Raises:
        UsageError: k is below 1, or more than the samples.
    """
    if not 1 <= k <= counts.n:
        raise UsageError(f"pass@{k} needs at least {max(k, 1)} samples, and there are {counts.n}")
    compiled, passed = (
        1 - Fraction(comb(counts.n - found, k), comb(counts.n, k))
        for found in (counts.compiled, counts.passed)
    )
    return Factors(compiled, passed / compiled if compiled else None)


@dataclass(frozen=True, slots=True)
class ShapleySplit:
    """The parts of one change in pass rate.

    Attributes:
        compiling, post: what compiling brought, and what came after it; they sum to the change.
        flagged: Q was not defined on one side.
    """

    compiling: Fraction
    post: Fraction
    flagged: bool = False

    @property
    def change(self) -> Fraction:
        """The change in pass rate."""
        return self.compiling + self.post

    @property
    def shares(self) -> tuple[Fraction, Fraction] | None:
        """Both parts of the change; None unless both have its sign."""
        change = self.change
        if self.compiling * change <= 0 or self.post * change <= 0:
            return None
        return self.compiling / change, self.post / change


def split_change(before: Factors, after: Factors) -> ShapleySplit:
    """Splits the change from one side to the other."""
    if before.passed is None and after.passed is None:
        return ShapleySplit(Fraction(0), Fraction(0))
    flagged = before.passed is None or after.passed is None
    first = before.passed if before.passed is not None else after.passed
    second = after.passed if after.passed is not None else before.passed
    assert first is not None
    assert second is not None
    return ShapleySplit(
        (after.compiled - before.compiled) * (first + second) / 2,
        (second - first) * (before.compiled + after.compiled) / 2,
        flagged,
    )


@dataclass(frozen=True, slots=True)
class AttributedTask:
    """A task on both sides.

    Attributes:
        group: what it is redrawn with: its change, or its own id where one trajectory is all there
            is and orders were not resampled.
    """

    group: str
    before: CompileCounts
    after: CompileCounts


@dataclass(frozen=True, slots=True)
class Attribution:
    """The attribution of a change in pass rate, over tasks.

    Attributes:
        tasks, groups: tasks, and groups that they are redrawn in.
        mean: the mean of the tasks' splits.
        pooled: the split of the mean rates, which can blame the wrong factor.
        flagged: tasks where nothing compiles on one side.
        compiling, post: the means with their intervals; None of a single group.
        few: there are fewer groups than an interval needs to be trusted.
    """

    tasks: int
    groups: int
    mean: ShapleySplit
    pooled: ShapleySplit
    flagged: int
    compiling: Estimate | None
    post: Estimate | None
    few: bool


def attribute(tasks: Sequence[AttributedTask], k: int = 1) -> Attribution | None:
    """Attributes the change of tasks; None where there is none.

    Raises:
        UsageError: a task has fewer than k samples.
    """
    if not tasks:
        return None
    sides = [(compute_factors(each.before, k), compute_factors(each.after, k)) for each in tasks]
    splits = [split_change(before, after) for before, after in sides]
    pooled = split_change(
        pool([before for before, _ in sides]), pool([after for _, after in sides])
    )
    mean = ShapleySplit(
        sum((split.compiling for split in splits), Fraction(0)) / len(splits),
        sum((split.post for split in splits), Fraction(0)) / len(splits),
        any(split.flagged for split in splits),
    )
    groups = [each.group for each in tasks]
    size = len(set(groups))
    return Attribution(
        tasks=len(tasks),
        groups=size,
        mean=mean,
        pooled=pooled,
        flagged=sum(split.flagged for split in splits),
        compiling=bound_mean(groups, [float(split.compiling) for split in splits]),
        post=bound_mean(groups, [float(split.post) for split in splits]),
        few=size < FEW,
    )


def pool(factors: Sequence[Factors]) -> Factors:
    """Takes the factors of mean rates."""
    compiled = sum((each.compiled for each in factors), Fraction(0)) / len(factors)
    rate = sum((each.rate for each in factors), Fraction(0)) / len(factors)
    return Factors(compiled, rate / compiled if compiled else None)


def bound_mean(
    groups: Sequence[str], values: Sequence[float], extremes: Sequence[float] = DIFFERENCE
) -> Estimate | None:
    """Estimates a mean over tasks, whose groups are redrawn whole; None of a single group.

    Args:
        groups, values: one of each a task.
        extremes: what the pseudo-group may be: `DIFFERENCE` or `RATE`.
    """
    import numpy as np

    found: dict[str, list[float]] = {}
    for group, value in zip(groups, values, strict=True):
        found.setdefault(group, []).append(value)
    if len(found) < 2:
        return None
    # In an order, and with sums, that depend on no names and on no order of the tasks.
    rows = sorted((fsum(each), len(each)) for each in found.values())
    size = len(values) / len(rows)
    table = np.array([*rows, *((extreme * size, size) for extreme in extremes)])
    total = len(rows) + 1
    chances = [1 / total] * len(rows) + [1 / total / len(extremes)] * len(extremes)
    sums = draw_tasks([SEED, len(rows), len(extremes)], total, chances) @ table
    low, high = take_middle(sums[:, 0] / sums[:, 1], CONFIDENCE)
    value = fsum(values) / len(values)
    return Estimate(value, min(low, value), max(high, value))
