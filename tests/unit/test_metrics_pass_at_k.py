from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.errors import UsageError
from pytest_coderobust.metrics.pass_at_k import pass_at_k


@pytest.mark.parametrize("n", range(1, 9))
def test_equals_the_share_of_draws_of_k_that_hold_a_passing_sample(n: int) -> None:
    for c in range(n + 1):
        samples = [True] * c + [False] * (n - c)
        for k in range(1, n + 1):
            draws = [any(draw) for draw in combinations(samples, k)]
            assert pass_at_k(n, c, k) == sum(draws) / len(draws)


@given(st.integers(1, 3000), st.data())
def test_is_the_papers_product_correctly_rounded(n: int, data: st.DataObject) -> None:
    c = data.draw(st.integers(0, n))
    k = data.draw(st.integers(1, min(n, 200)))
    factors = (Fraction(n - c - i, n - i) for i in range(k))
    assert pass_at_k(n, c, k) == float(1 - prod(factors, start=Fraction(1)))


@given(st.integers(1, 10**6), st.data())
def test_pass_at_1_is_the_share_of_passing_samples(n: int, data: st.DataObject) -> None:
    c = data.draw(st.integers(0, n))
    assert pass_at_k(n, c, 1) == c / n


@given(st.integers(1, 300), st.data())
def test_grows_with_c_and_with_k(n: int, data: st.DataObject) -> None:
    c = data.draw(st.integers(0, n - 1))
    k = data.draw(st.integers(1, n))
    assert 0.0 <= pass_at_k(n, c, k) <= pass_at_k(n, c + 1, k) <= 1.0
    if k < n:
        assert pass_at_k(n, c, k) <= pass_at_k(n, c, k + 1)


def test_large_n_neither_overflows_nor_loses_digits() -> None:
    assert pass_at_k(100_000, 1, 100) == 100 / 100_000
    assert pass_at_k(20_000, 10_000, 5_000) == 1.0
    assert pass_at_k(10**6, 0, 1000) == 0.0


def test_no_passing_sample_is_0_even_where_k_is_n() -> None:
    assert pass_at_k(10, 0, 10) == 0.0


def test_k_above_n_is_refused_in_a_sentence_that_says_what_to_change() -> None:
    with pytest.raises(UsageError, match=r"pass@10 needs at least 10 samples.*only 5 were drawn"):
        pass_at_k(5, 0, 10)


def test_k_below_1_is_refused() -> None:
    with pytest.raises(UsageError, match="k starts at 1"):
        pass_at_k(5, 1, 0)


@pytest.mark.parametrize(("n", "c"), [(5, 6), (5, -1)])
def test_impossible_counts_are_refused(n: int, c: int) -> None:
    with pytest.raises(ValueError, match="is not a valid count"):
        pass_at_k(n, c, 1)
