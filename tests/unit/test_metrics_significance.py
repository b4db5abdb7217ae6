"""Tests of paired tasks against published numbers, hand-worked cases, enumeration and SciPy."""

from __future__ import annotations

from itertools import product
from math import sqrt
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.metrics.significance import (
    exact_mcnemar,
    paired_test,
    sign_flips,
    wilcoxon,
)


def ranked(n: int, w: int) -> list[float]:
    """n differences without ties whose unfavourable ranks sum to w."""
    unfavourable: set[int] = set()
    for rank in range(n, 0, -1):
        if rank <= w:
            unfavourable.add(rank)
            w -= rank
    assert not w
    return [float(-rank if rank in unfavourable else rank) for rank in range(1, n + 1)]


@pytest.mark.parametrize(
    ("n", "w", "exact", "p", "r", "rank_biserial"),
    [  # Liu et al. 2026, as published: p, what they print as "rank-biserial" (r), and the real one
        (30, 23, False, 1.64e-5, 0.787, 0.901),
        (120, 0, False, 1.97e-21, 0.868, 1.000),
        (24, 40, True, 0.00096, 0.64, 0.733),
    ],
)
def test_wilcoxon_gives_the_published_numbers(
    n: int, w: int, exact: bool, p: float, r: float, rank_biserial: float
) -> None:
    found = wilcoxon(ranked(n, w), exact=exact)
    assert found is not None
    assert (found.n, found.w) == (n, w)
    assert float(f"{found.p:.3g}") == pytest.approx(p, rel=0.005)
    assert found.r == pytest.approx(r, abs=0.0051 if r == 0.64 else 0.00051)
    assert found.rank_biserial == pytest.approx(rank_biserial, abs=0.00051)


def test_the_published_row_of_24_and_32_cannot_be_reproduced() -> None:
    # They print 3.2e-10; the exact p is 3.2e-4, the normal approximation's 7.5e-4.
    exact, normal = wilcoxon(ranked(24, 32), exact=True), wilcoxon(ranked(24, 32), exact=False)
    assert exact is not None
    assert normal is not None
    assert exact.p == pytest.approx(3.2e-4, rel=0.01)
    assert normal.p == pytest.approx(7.5e-4, rel=0.01)


def test_wilcoxon_by_hand() -> None:
    # |d| = 1, 2, 3, 4 with ranks 1 to 4; only 2 is negative: W = 2, of 16 patterns 6 are as extreme
    # (rank sums 0, 1, 2 on either side).
    found = wilcoxon([0.1, -0.2, 0.3, 0.4, 0.0], exact=True)
    assert found is not None
    assert (found.n, found.w, found.exact) == (4, 2.0, True)
    assert found.p == pytest.approx(6 / 16)
    assert found.rank_biserial == pytest.approx((8 - 2) / 10)
    assert found.r == pytest.approx((5 - 2) / sqrt(4 * 5 * 9 / 24) / 2)


def test_ties_have_an_exact_p_of_their_middle_ranks() -> None:
    # Ranks 2, 2, 2 and 4; favourable 2 + 2 + 4 = 8, so W = 2: of 16 patterns 1 has the sum 0 and 3
    # have 2, and as many lie on the other side.
    found = wilcoxon([0.5, 0.5, -0.5, 1.0])
    assert found is not None
    assert (found.n, found.w, found.exact) == (4, 2.0, True)
    assert found.p == pytest.approx(8 / 16)


@given(st.lists(st.integers(-4, 4).filter(bool), min_size=1, max_size=9))
def test_the_exact_p_is_a_share_of_all_patterns_of_signs(differences: list[int]) -> None:
    found = wilcoxon(differences)
    assert found is not None
    ranks = scipy.stats.rankdata([abs(each) for each in differences])
    sums = [
        sum(rank for rank, up in zip(ranks, signs, strict=True) if up)
        for signs in product((True, False), repeat=len(ranks))
    ]
    as_far = sum(min(each, sum(ranks) - each) <= found.w + 1e-9 for each in sums)
    assert found.p == pytest.approx(as_far / len(sums))
    assert found.p >= 2 / 2 ** len(ranks)


def test_ties_against_an_exact_permutation_test() -> None:
    differences = [0.01, 0.01, 0.02, 0.02, 0.05, -0.01, 0.03]
    found = wilcoxon(differences)
    method = scipy.stats.PermutationMethod(n_resamples=10_000)  # 128 patterns: all of them
    wanted: Any = scipy.stats.wilcoxon(differences, method=method)
    assert found is not None
    assert found.p == pytest.approx(wanted.pvalue)


def test_wilcoxon_of_equal_runs_is_nothing() -> None:
    assert wilcoxon([0.0, 0.0]) is None


@pytest.mark.parametrize(
    ("gained", "lost", "p"),
    [(0, 0, 1.0), (5, 0, 2 / 32), (1, 3, 10 / 16), (3, 1, 10 / 16), (2, 2, 1.0)],
)
def test_mcnemar_by_hand(gained: int, lost: int, p: float) -> None:
    assert exact_mcnemar(gained, lost) == pytest.approx(p)


def test_sign_flips_by_hand() -> None:
    # Totals of +-1/2 +-1/4 +-1/4: 1 and -1 are one pattern each of eight.
    assert sign_flips([0.5, 0.25, 0.25]) == pytest.approx(2 / 8)
    assert sign_flips([0.5]) == 1.0
    # 3/4 - 1/4 = 1/2: patterns at least as far out are 1, 1/2, -1/2, -1, of +-3/4 +-1/4.
    assert sign_flips([0.75, -0.25, 0.0]) == pytest.approx(1.0)


def test_sign_flips_of_whole_tasks_are_mcnemars_test() -> None:
    assert sign_flips([1.0] * 7 + [-1.0] * 2) == pytest.approx(exact_mcnemar(7, 2))


def test_many_tasks_are_flipped_at_random_and_always_the_same_way() -> None:
    noise = np.random.default_rng(3)
    differences = noise.choice([-0.5, -0.25, 0.25, 0.5], 164, p=[0.15, 0.25, 0.3, 0.3]).tolist()
    p = sign_flips(differences)
    # The total is nearly normal: its spread under flips is the root of the sum of squares.
    from scipy.stats import norm

    z = abs(sum(differences)) / sqrt(sum(d * d for d in differences))
    assert p == pytest.approx(2 * norm.sf(z), abs=0.01)
    assert sign_flips(differences) == p


def test_the_test_is_mcnemars_only_where_each_task_gives_one_pair() -> None:
    assert paired_test([1.0, -1.0, 0.0]).method == "exact McNemar"
    assert paired_test([1.0, -0.5, 0.0]).method == "sign flips"
    assert paired_test([0.0]).p == 1.0
