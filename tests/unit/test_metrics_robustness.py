from __future__ import annotations

import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_coderobust.metrics.robustness import (
    TaskScore,
    average_variants,
    drop,
    mean,
    relative_degradation,
    robust_drop,
    robust_relative,
    take_worst,
)

rates = st.integers(0, 10).map(lambda c: c / 10)
task_scores = st.builds(TaskScore, rates, st.lists(rates, min_size=1, max_size=5).map(tuple))
suites = st.lists(task_scores, min_size=1, max_size=20)
greedy = st.lists(
    st.builds(
        TaskScore,
        st.sampled_from([0.0, 1.0]),
        st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=4).map(tuple),
    ),
    min_size=1,
    max_size=20,
)

# Four tasks, two variants each, worked by hand: clean 3 of 4.
HAND = [
    TaskScore(1.0, (1.0, 1.0)),
    TaskScore(1.0, (1.0, 0.0)),
    TaskScore(1.0, (0.0, 0.0)),
    TaskScore(0.0, (0.0, 1.0)),
]


def test_rd_of_the_hand_worked_suite() -> None:
    # Variants pass 1, 1/2, 0, 1/2: mean 1/2 against 3/4 clean.
    assert mean(average_variants(HAND)) == 0.5
    assert relative_degradation(HAND) == pytest.approx(1 / 3, abs=1e-15)


def test_recodes_three_of_the_hand_worked_suite() -> None:
    # The worst variant passes for the first task only; tasks 2 and 3 are lost, task 4 is gained.
    assert mean(take_worst(HAND)) == 0.25
    assert robust_drop(HAND) == pytest.approx((0.75 - 0.25) / 0.75, abs=1e-15)
    assert robust_relative(HAND) == 0.75


def test_rd_is_undefined_where_no_clean_prompt_passes() -> None:
    unsolved = [TaskScore(0.0, (1.0,)), TaskScore(0.0, (0.0,))]
    assert relative_degradation(unsolved) is None
    assert robust_drop(unsolved) is None
    assert robust_relative(unsolved) == 0.5


def test_rd_is_negative_where_variants_do_better() -> None:
    assert relative_degradation([TaskScore(0.5, (1.0,))]) == -1.0


def test_nothing_measured_is_undefined() -> None:
    assert relative_degradation([]) is None
    assert robust_relative([]) is None
    assert mean([]) is None
    assert drop(None, 0.5) is None


def test_seeds_are_averaged_within_a_task_before_tasks_are_averaged() -> None:
    # One task with three seeds must not outweigh one with a single seed.
    uneven = [TaskScore(1.0, (0.0, 0.0, 0.0)), TaskScore(1.0, (1.0,))]
    assert relative_degradation(uneven) == 0.5


@given(suites)
def test_bounds(scores: list[TaskScore]) -> None:
    rd, worst_drop = relative_degradation(scores), robust_drop(scores)
    relative = robust_relative(scores)
    assert relative is not None
    assert 0.0 <= relative <= 1.0 + 1e-12
    assert (rd is None) == (worst_drop is None)
    if rd is not None and worst_drop is not None:
        assert rd <= worst_drop + 1e-12 <= 1.0 + 2e-12


@given(suites, st.randoms())
def test_no_metric_depends_on_the_order_of_tasks_or_variants(
    scores: list[TaskScore], rnd: object
) -> None:
    assert isinstance(rnd, random.Random)
    shuffled = [
        TaskScore(score.clean, tuple(rnd.sample(score.variants, len(score.variants))))
        for score in scores
    ]
    rnd.shuffle(shuffled)
    for metric in (relative_degradation, robust_drop, robust_relative):
        assert metric(shuffled) == metric(scores)


@given(suites, st.sampled_from([0.5, 0.25, 0.125]))
def test_rd_does_not_change_when_every_rate_is_scaled(
    scores: list[TaskScore], factor: float
) -> None:
    scaled = [
        TaskScore(score.clean * factor, tuple(v * factor for v in score.variants))
        for score in scores
    ]
    assert relative_degradation(scaled) == pytest.approx(relative_degradation(scores), abs=1e-12)


@given(suites, st.integers(2, 4))
def test_rd_does_not_change_when_the_suite_or_the_seeds_are_repeated(
    scores: list[TaskScore], times: int
) -> None:
    seeds = [TaskScore(score.clean, score.variants * times) for score in scores]
    for repeated in (scores * times, seeds):
        for metric in (relative_degradation, robust_drop, robust_relative):
            assert metric(repeated) == pytest.approx(metric(scores), abs=1e-12)


@given(suites)
def test_rd_is_0_when_every_variant_equals_its_clean_prompt(scores: list[TaskScore]) -> None:
    assume(any(score.clean for score in scores))
    same = [TaskScore(score.clean, (score.clean,)) for score in scores]
    assert relative_degradation(same) == robust_drop(same) == robust_relative(same) == 0.0


@given(greedy)
def test_greedy_values_equal_recodes_definitions_on_outcomes(scores: list[TaskScore]) -> None:
    clean = [score.clean == 1.0 for score in scores]
    lost = [c and not all(s.variants) for c, s in zip(clean, scores, strict=True)]
    gained = [not c and any(s.variants) for c, s in zip(clean, scores, strict=True)]
    robust = [all(s.variants) for s in scores]
    assert mean(take_worst(scores)) == sum(robust) / len(scores)
    assert robust_relative(scores) == (sum(lost) + sum(gained)) / len(scores)
    if any(clean):
        expected = (sum(clean) - sum(robust)) / sum(clean)
        assert robust_drop(scores) == pytest.approx(expected, abs=1e-12)
