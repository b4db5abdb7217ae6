from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.metrics.interval import effective_size, estimate, wilson


@pytest.mark.parametrize(
    ("passed", "tasks"), [(0, 1), (1, 1), (0, 30), (30, 30), (35, 164), (1, 9)]
)
def test_one_sample_a_task_gives_scipys_wilson_interval(passed: int, tasks: int) -> None:
    from scipy.stats import binomtest

    theirs = binomtest(passed, tasks).proportion_ci(0.95, method="wilson")
    ours = estimate([1.0] * passed + [0.0] * (tasks - passed), draws=tasks)
    assert ours is not None
    assert ours.value == passed / tasks
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_effective_size_is_the_tasks_where_every_task_says_yes_or_no() -> None:
    assert effective_size([1.0, 0.0, 0.0, 1.0, 1.0], draws=50) == pytest.approx(5, abs=1e-12)


def test_effective_size_grows_where_tasks_do_not_differ() -> None:
    # Two pseudo-tasks of spread 1/4 among ten without any: 10 * (10 + 2) / 2 tasks, if there are
    # as many draws.
    assert effective_size([0.5] * 10, draws=1000) == pytest.approx(60)
    assert effective_size([0.5] * 10, draws=20) == 20


def test_a_single_task_is_never_worth_two() -> None:
    assert effective_size([0.5], draws=200) == pytest.approx(1.5)


values = st.lists(st.integers(0, 8).map(lambda c: c / 8), min_size=1, max_size=60)


@given(values)
def test_interval_holds_the_mean_and_stays_in_0_to_1(tasks: list[float]) -> None:
    found = estimate(tasks, draws=8 * len(tasks))
    assert found is not None
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0
    assert found.high > found.low


@given(values, st.randoms())
def test_interval_does_not_depend_on_the_order_of_tasks(tasks: list[float], rnd: object) -> None:
    assert isinstance(rnd, random.Random)
    shuffled = list(tasks)
    rnd.shuffle(shuffled)
    assert estimate(shuffled, 99) == estimate(tasks, 99)


@given(values)
def test_interval_is_never_wider_than_one_sample_a_task_would_give(tasks: list[float]) -> None:
    found = estimate(tasks, draws=8 * len(tasks))
    assert found is not None
    low, high = wilson(found.value, len(tasks))
    assert found.high - found.low <= high - low + 1e-12


def test_nothing_has_no_estimate() -> None:
    assert estimate([], draws=0) is None


@pytest.mark.parametrize(
    ("tasks", "samples", "rate", "least", "most"),
    [
        (100, 5, 0.3, 0.93, 0.97),
        (164, 10, 0.8, 0.93, 0.97),
        (5, 10, 0.3, 0.91, 1.0),  # alike by chance, five tasks would claim too much
    ],
)
def test_coverage_is_95_percent_with_correlated_samples(
    tasks: int, samples: int, rate: float, least: float, most: float
) -> None:
    # A task's own rate is beta-distributed so that its samples correlate by 0.5.
    noise = random.Random(20210707)
    runs, hits = 1500, 0
    for _ in range(runs):
        tasks_rates = [noise.betavariate(rate, 1 - rate) for _ in range(tasks)]
        values = [
            sum(noise.random() < own for _ in range(samples)) / samples for own in tasks_rates
        ]
        found = estimate(values, draws=tasks * samples)
        assert found is not None
        hits += found.low <= rate <= found.high
    assert least <= hits / runs <= most
