"""Wilcoxon from a printed (n, W) against SciPy and Liu et al. 2026; Holm against its definition."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.metrics.rank_sums import adjust_holm, wilcoxon_of_sums
from pytest_coderobust.metrics.significance import wilcoxon

SIGNS = st.lists(st.booleans(), min_size=1, max_size=25)


@pytest.mark.parametrize(
    ("n", "w", "exact", "p", "r", "rank_biserial"),
    [  # p, and what they call rank-biserial (r), as printed; the rank-biserial itself by hand
        (24, 72, True, None, 0.455, 0.520),
        (24, 40, True, 0.00096, 0.64, 0.733),
        (6, 2, True, 0.094, None, 0.810),
        (30, 23, False, 1.64e-5, 0.787, 0.901),
        (120, 0, False, 1.97e-21, 0.868, 1.000),
        (24, 32, True, 3.2e-4, None, 0.787),  # printed 3.2e-10, which no method gives
        (6, 4, True, 0.22, None, 0.619),  # printed 0.19, which no method gives
    ],
)
def test_printed_statistics_follow_from_pairs_and_rank_sum(
    n: int, w: int, exact: bool, p: float | None, r: float | None, rank_biserial: float
) -> None:
    found = wilcoxon_of_sums(n, w, exact=exact)
    if p is not None:
        digits = len(f"{p:.10g}".partition("e")[0].replace(".", "").lstrip("0"))
        assert float(f"{found.p:.{digits}g}") == pytest.approx(p, rel=1e-9)
    if r is not None:
        assert found.r == pytest.approx(r, abs=0.0051)
    assert found.rank_biserial == pytest.approx(rank_biserial, abs=0.00051)


@given(SIGNS, st.sampled_from([True, False, None]))
def test_it_is_scipys_test_of_the_differences(signs: list[bool], exact: bool | None) -> None:
    differences = [float(rank if up else -rank) for rank, up in enumerate(signs, start=1)]
    wanted = wilcoxon(differences, exact=exact)
    unfavourable = sum(rank for rank, up in enumerate(signs, start=1) if not up)
    found = wilcoxon_of_sums(len(signs), unfavourable, exact=exact)
    assert wanted is not None
    assert (found.n, found.w, found.exact) == (wanted.n, wanted.w, wanted.exact)
    for name in ("z", "p", "r", "rank_biserial"):
        assert getattr(found, name) == pytest.approx(getattr(wanted, name), rel=1e-9, abs=1e-12)


def test_many_pairs_and_broken_sums_take_the_normal_approximation() -> None:
    assert wilcoxon_of_sums(50, 10).exact
    assert not wilcoxon_of_sums(51, 10).exact
    assert not wilcoxon_of_sums(10, 4.5).exact


@pytest.mark.parametrize(("n", "w"), [(0, 0), (6, -1), (6, 22)])
def test_what_is_no_rank_sum_is_refused(n: int, w: float) -> None:
    with pytest.raises(ValueError, match=f"no rank sum of {n} pairs is {w}"):
        wilcoxon_of_sums(n, w)


@given(st.lists(st.floats(0, 1), max_size=7))
def test_holm_is_the_closed_test_of_bonferroni(ps: list[float]) -> None:
    """A hypothesis is rejected when each set that holds it is: Marcus, Peritz and Gabriel 1976."""
    adjusted = adjust_holm(ps)
    for place in range(len(ps)):
        sets = [
            chosen
            for size in range(1, len(ps) + 1)
            for chosen in combinations(range(len(ps)), size)
            if place in chosen
        ]
        closed = max(min(1.0, len(chosen) * min(ps[each] for each in chosen)) for chosen in sets)
        assert adjusted[place] == pytest.approx(closed)


def test_holm_by_hand() -> None:
    assert adjust_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert adjust_holm([]) == ()
    with pytest.raises(ValueError, match="2 is no p-value"):
        adjust_holm([0.5, 2])
