from __future__ import annotations

import pytest
from support.metrics_simulation import coverage, rejections

# The standard error of a share of 0.95 is 0.011 in 400 runs, 0.018 in 150 and 0.005 in 2,000.


def test_intervals_cover_in_a_sample_of_the_simulation() -> None:
    for name, share in coverage(100, 0.5, 0.7, runs=150).items():
        assert 0.89 <= share <= 0.995, name


def test_sign_flips_hold_their_error_rate_and_pooled_mcnemar_does_not() -> None:
    found = rejections(100, 0.5, runs=40)
    assert found["sign flips of tasks"] <= 0.15
    assert found["McNemar on pooled pairs"] >= 0.2


@pytest.mark.slow
@pytest.mark.parametrize("tasks", [100, 164])
@pytest.mark.parametrize(("rate", "kept"), [(0.2, 0.9), (0.5, 0.7), (0.8, 0.95)])
def test_intervals_cover_within_two_points(tasks: int, rate: float, kept: float) -> None:
    for name, share in coverage(tasks, rate, kept, runs=2000).items():
        assert 0.93 - 0.01 <= share <= 0.97 + 0.01, name


@pytest.mark.slow
@pytest.mark.parametrize("tasks", [100, 164])
def test_error_rates_of_paired_tests(tasks: int) -> None:
    found = rejections(tasks, 0.5, runs=1000)
    assert found["sign flips of tasks"] == pytest.approx(0.05, abs=0.02)
    assert found["McNemar on pooled pairs"] > 0.2
