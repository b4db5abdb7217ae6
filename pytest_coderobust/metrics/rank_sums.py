"""Wilcoxon's test from its printed statistic, and Holm's adjustment of several p-values.

A table of a paper has n and W alone. With them p, z and both effect sizes follow, if no two
differences were equal: Liu et al. 2026 print |z| / sqrt(n) under the name of the rank-biserial
correlation, which is 1 - 4 W / (n (n + 1)) and larger.

Tests of one table belong together: of 20 true null hypotheses one has p < .05 by chance. Holm
(1979) bounds the chance of any such error, whatever the tests have in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

from pytest_coderobust.metrics.significance import EXACT_PAIRS, Wilcoxon, share_as_far_out


def wilcoxon_of_sums(n: int, w: float, *, exact: bool | None = None) -> Wilcoxon:
    """Makes Wilcoxon's test of n differences without ties, of which one rank sum is known.

    Args:
        n: pairs that differ.
        w: the rank sum of one side; the smaller one in papers, which leaves the side open. The
            sign of the effect is that of a larger sum on the other side.
        exact: None takes the exact distribution for whole sums of at most `EXACT_PAIRS` pairs.

    Raises:
        ValueError: there are no pairs, or no rank sum of n pairs is w.
    """
    total = n * (n + 1) / 2
    if n < 1 or not 0 <= w <= total:
        raise ValueError(f"no rank sum of {n} pairs is {w}")
    if exact is None:
        exact = n <= EXACT_PAIRS and float(w).is_integer()
    smaller = min(w, total - w)
    z = (smaller - total / 2) / sqrt(n * (n + 1) * (2 * n + 1) / 24)
    doubled = range(2, 2 * n + 1, 2)
    p = share_as_far_out(doubled, smaller) if exact else 2 * NormalDist().cdf(z)
    return Wilcoxon(
        n=n,
        w=smaller,
        z=z,
        p=min(1.0, p),
        r=abs(z) / sqrt(n),
        rank_biserial=1 - 2 * w / total,
        exact=exact,
    )


def adjust_holm(ps: Sequence[float]) -> tuple[float, ...]:
    """Adjusts p-values by Holm's step-down method; each stays in its place.

    The smallest is multiplied by their number, the next by one less, and so on; none becomes
    smaller than one before it.

    Raises:
        ValueError: a value lies outside 0 to 1.
    """
    for p in ps:
        if not 0 <= p <= 1:
            raise ValueError(f"{p} is no p-value")
    adjusted = [0.0] * len(ps)
    least = 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=lambda index: ps[index])):
        least = max(least, min(1.0, (len(ps) - rank) * ps[place]))
        adjusted[place] = least
    return tuple(adjusted)
