"""Tests of paired tasks: whether the difference between two runs is more than chance.

- Exact McNemar (McNemar 1947, in its exact binomial form): each task gives one pair of yes or no.
- Sign flips of task totals (Fisher 1935; Good 2005, chapter 3): each task gives a fraction, or
  several pairs that are not independent. Where every task gives one pair it is McNemar's test.
- Wilcoxon's signed ranks with two effect sizes that papers confuse: the matched-pairs
  rank-biserial correlation (Kerby 2014) and r = |Z| / sqrt(N) (Rosenthal 1991).

McNemar on *pooled* pairs (every seed and sample of every task) is not offered: pairs of one task
go together, and in simulation it rejects true null hypotheses several times too often
(bench/significance.py). SciPy does the mathematics; it is imported when a test is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FLIPS = 9999
"""Random sign patterns where there are too many to try them all (2 ** tasks)."""

SEED = 1935

EXACT_PAIRS = 50
"""The most pairs for which Wilcoxon's p is exact where nothing else is asked."""

Method = Literal["exact McNemar", "sign flips"]


@dataclass(frozen=True, slots=True)
class Tested:
    """A p-value, and the test it is from."""

    p: float
    method: Method


@dataclass(frozen=True, slots=True)
class Wilcoxon:
    """Wilcoxon's signed-rank test of paired values.

    Attributes:
        n: pairs that differ; pairs without a difference say nothing and are left out.
        w: the smaller of the two rank sums.
        z: the normal approximation's, without continuity correction; negative below the mean.
        p: two-sided.
        r: |z| / sqrt(n). Liu et al. 2026 print it under the name "rank-biserial".
        rank_biserial: favourable less unfavourable rank sum, over their total; its sign is that
            of the differences.
        exact: whether p is exact or the normal approximation's.
    """

    n: int
    w: float
    z: float
    p: float
    r: float
    rank_biserial: float
    exact: bool


def paired_test(differences: Sequence[float]) -> Tested:
    """The test that the differences of one value a task allow, two-sided.

    Args:
        differences: after less before, one a task, in [-1, 1].
    """
    moved = [difference for difference in differences if difference]
    if all(abs(difference) == 1 for difference in moved):
        gained = sum(difference > 0 for difference in moved)
        return Tested(exact_mcnemar(gained, len(moved) - gained), "exact McNemar")
    return Tested(sign_flips(moved), "sign flips")


def exact_mcnemar(gained: int, lost: int) -> float:
    """The two-sided p-value from the tasks that changed: gained and lost are equally likely."""
    if not gained + lost:
        return 1.0
    from scipy.stats import binomtest

    return float(binomtest(gained, gained + lost, 0.5).pvalue)


def sign_flips(differences: Sequence[float]) -> float:
    """The two-sided p-value of the total, among the totals with each task's sign flipped or not.

    Every pattern is tried where that is at most `FLIPS`; else `FLIPS` seeded ones.
    """
    moved = [difference for difference in differences if difference]
    if len(moved) < 2:  # one task's total is as far out with either sign
        return 1.0
    import numpy as np
    from scipy.stats import permutation_test

    found = permutation_test(
        (np.array(moved),),
        sum_totals,
        permutation_type="samples",
        vectorized=True,
        n_resamples=FLIPS,
        batch=max(1, 2_000_000 // len(moved)),
        random_state=np.random.default_rng(SEED),
    )
    return min(1.0, float(found.pvalue))


def sum_totals(values: Array, axis: int) -> Array:
    """Sums along an axis, as `permutation_test` asks."""
    found: Array = values.sum(axis=axis)
    return found


def share_as_far_out(doubled: Sequence[int], smaller: float) -> float:
    """The share of the patterns of signs whose rank sum is as far out, on either side.

    Args:
        doubled: every rank times two, so that the middle ranks of ties are whole numbers.
        smaller: the smaller rank sum, not doubled.
    """
    most = round(2 * smaller)
    patterns = [1] + [0] * most  # patterns[s]: of the ranks so far, those whose sum is s
    for rank in doubled:
        for total in range(most, rank - 1, -1):
            patterns[total] += patterns[total - rank]
    return min(1.0, float(2 * sum(patterns) / 2 ** len(doubled)))


def wilcoxon(differences: Sequence[float], *, exact: bool | None = None) -> Wilcoxon | None:
    """Wilcoxon's test of paired differences; None where no pair differs.

    Args:
        exact: None takes the exact distribution for at most `EXACT_PAIRS` pairs, else the normal
            approximation without continuity correction. The exact one knows ties: it is that of
            their middle ranks, where the approximation can fall below the smallest p there is.
    """
    moved = [difference for difference in differences if difference]
    if not moved:
        return None
    from scipy.stats import rankdata, wilcoxon

    n = len(moved)
    if exact is None:
        exact = n <= EXACT_PAIRS
    normal = cast("Any", wilcoxon(moved, method="approx", correction=False))
    ranks = rankdata([abs(difference) for difference in moved])
    favourable = float(sum(rank for rank, d in zip(ranks, moved, strict=True) if d > 0))
    total = n * (n + 1) / 2
    p = normal.pvalue
    if exact:
        p = share_as_far_out(
            [round(2 * rank) for rank in ranks], min(favourable, total - favourable)
        )
    z = float(normal.zstatistic)
    return Wilcoxon(
        n=n,
        w=min(favourable, total - favourable),
        z=-abs(z),
        p=float(p),
        r=abs(z) / sqrt(n),
        rank_biserial=(2 * favourable - total) / total,
        exact=exact,
    )
