from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_coderobust.metrics.bootstrap import (
    LARGEST,
    bound_change,
    bound_drop_change,
    draw_counts,
    estimate_drop,
    redraw_means,
)
from pytest_coderobust.metrics.robustness import drop, mean

BEFORE = [1.0] * 70 + [0.0] * 30
AFTER = [1.0] * 49 + [0.0] * 21 + [1.0] * 6 + [0.0] * 24


def rd(before: list[float], after: list[float], confidence: float = 0.95) -> tuple[float, float]:
    found = estimate_drop(drop(mean(before), mean(after)), before, after, confidence)
    assert found is not None
    return found.low, found.high


def test_interval_of_rd_agrees_with_scipys_bootstrap() -> None:
    from scipy.stats import bootstrap

    theirs = bootstrap(
        (np.array(BEFORE), np.array(AFTER)),
        lambda b, a, axis: 1 - a.mean(axis=axis) / b.mean(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=9999,
        random_state=np.random.default_rng(1),
    ).confidence_interval
    # One pseudo-task in a hundred and two sets of draws: a hundredth is what they may differ by.
    assert rd(BEFORE, AFTER) == pytest.approx((theirs.low, theirs.high), abs=0.015)


def test_interval_of_a_change_agrees_with_the_paired_t_interval() -> None:
    from scipy.stats import ttest_1samp

    differences = np.array(AFTER) - np.array(BEFORE)
    theirs = ttest_1samp(differences, 0.0).confidence_interval(0.95)
    assert bound_change(BEFORE, AFTER) == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_change_of_rd_is_the_difference_of_two_rds_where_the_runs_share_nothing_but_tasks() -> None:
    noise = np.random.default_rng(7)
    old = [(float(c), float(c * k)) for c, k in noise.integers(0, 2, (400, 2))]
    new = [(float(c), float(c * k)) for c, k in noise.integers(0, 2, (400, 2))]
    low, high = bound_drop_change(old, new)
    width = [np.subtract(*rd([c for c, _ in rows], [p for _, p in rows])) for rows in (old, new)]
    assert high - low == pytest.approx(float(np.hypot(*width)), rel=0.1)


def test_tasks_that_look_alike_are_not_sure() -> None:
    low, high = rd([1.0] * 30, [1.0] * 30)
    assert low < 0 < high < 0.1


def test_more_confidence_is_wider() -> None:
    narrow, wide = rd(BEFORE, AFTER, 0.8), rd(BEFORE, AFTER, 0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_one_solved_task_gives_finite_ends() -> None:
    low, high = rd([1.0] + [0.0] * 29, [0.0] * 29 + [1.0])
    assert low < 0 < high <= 1


def test_groups_of_tasks_spread_like_tasks() -> None:
    many = LARGEST + LARGEST // 2
    before = [float(i % 10 < 7) for i in range(many)]
    after = [float(i % 10 < 5) for i in range(many)]
    low, high = bound_change(before, after)
    expected = 2 * 1.96 * np.std(np.array(after) - np.array(before)) / np.sqrt(many)
    assert high - low == pytest.approx(expected, rel=0.1)


def test_draws_are_the_same_in_every_process() -> None:
    # Written down once: another generator, seed or order of categories would show.
    assert draw_counts(3, 4)[:2].tolist() == [
        [0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 1.0],
        [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0],
    ]


values = st.lists(st.tuples(*[st.integers(0, 4).map(lambda c: c / 4)] * 2), min_size=1, max_size=40)


@settings(max_examples=40)
@given(values, st.randoms())
def test_interval_holds_the_value_in_any_order(
    rows: list[tuple[float, float]], rnd: object
) -> None:
    assert isinstance(rnd, random.Random)
    before, after = [b for b, _ in rows], [a for _, a in rows]
    found = estimate_drop(drop(mean(before), mean(after)), before, after)
    if found is None:
        assert not any(before)
        return
    assert found.low <= found.value <= found.high <= 1.0
    rnd.shuffle(rows)
    assert estimate_drop(found.value, [b for b, _ in rows], [a for _, a in rows]) == found


def test_means_are_redrawn_side_by_side() -> None:
    means = redraw_means([(1.0, 0.0)] * 99)
    assert means[:, 0].mean() == pytest.approx(99.5 / 100, abs=0.002)
    assert means[:, 1].mean() == pytest.approx(0.5 / 100, abs=0.002)
