"""Threads are chosen by the time of passes: simulated machines say what is best, and a clock."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_coderobust.models.thread_choice import ThreadChoice, list_counts

Cost = Callable[[int], float]
"""Seconds of a pass with a number of threads."""

LIMITS = st.integers(2, 200)
SECONDS = st.floats(1e-4, 10.0)


class Machine:
    """Passes of one kind on a machine whose speed a function tells; time is simulated."""

    def __init__(self, limit: int) -> None:
        self.choice = ThreadChoice(limit)
        self.now = 0.0
        self.ran: list[int] = []

    def run(self, passes: int, cost: Cost, tokens: int = 32) -> None:
        for _ in range(passes):
            threads = self.choice.choose(tokens, self.now)
            seconds = cost(threads)
            self.now += seconds
            self.ran.append(threads)
            self.choice.record(seconds, self.now)

    def settle(self, cost: Cost, tokens: int = 32) -> int:
        """Passes until a trial has ended, and what it chose."""
        self.run(1, cost, tokens)
        while self.choice.trying:
            self.run(1, cost, tokens)
        assert self.choice.chosen is not None
        return self.choice.chosen


def scaling(seconds: float, peak: int) -> Cost:
    """Twice the threads are 1.6 times as fast up to a peak, and half as fast beyond it."""

    def cost(threads: int) -> float:
        time = seconds
        for count in (2**place for place in range(1, 9)):
            if threads >= count:
                time = time / 1.6 if count <= peak else time * 2
        return time

    return cost


@given(LIMITS)
def test_counts_grow_to_the_limit(limit: int) -> None:
    counts = list(list_counts(limit))
    assert counts[0] == 1
    assert counts[-1] == limit
    assert all(one < other <= 2 * one for one, other in pairwise(counts))


@given(limit=LIMITS, seconds=SECONDS, peak=st.integers(0, 8).map(lambda place: 2**place))
def test_the_fastest_count_is_chosen(limit: int, seconds: float, peak: int) -> None:
    cost = scaling(seconds, peak)
    chosen = Machine(limit).settle(cost)
    assert cost(chosen) <= 1.05 * min(map(cost, list_counts(limit)))


@given(limit=LIMITS, seconds=SECONDS, share=st.floats(1.0, 1.04))
def test_fewer_threads_are_chosen_where_more_hardly_help(
    limit: int, seconds: float, share: float
) -> None:
    assert Machine(limit).settle(lambda threads: seconds / (share if threads > 1 else 1)) == 1


@given(limit=LIMITS, seconds=st.floats(0.01, 1.0), spin=st.floats(3.0, 100.0))
def test_threads_that_spin_against_each_other_are_given_up_soon(
    limit: int, seconds: float, spin: float
) -> None:
    machine = Machine(limit)
    assert machine.settle(lambda threads: seconds * (spin if threads > 1 else 1)) == 1
    assert sum(threads > 1 for threads in machine.ran) == 2
    assert max(machine.ran) == 2


@given(seconds=st.floats(0.01, 1.0), slow=st.floats(1.0, 1.9), begin=st.integers(0, 12))
def test_a_moment_of_other_work_hides_no_threads_that_help(
    seconds: float, slow: float, begin: int
) -> None:
    """For as long as passes of one count are compared, everything takes up to twice the time."""
    cost, machine = scaling(seconds, 2), Machine(2)
    enough = max(3, round(0.1 / seconds) + 2)

    def disturbed(threads: int) -> float:
        return cost(threads) * (slow if begin <= len(machine.ran) < begin + enough else 1)

    assert machine.settle(disturbed) == 2


@pytest.mark.parametrize("limit", [2, 16])
def test_a_machine_that_becomes_busy_is_noticed(limit: int) -> None:
    machine = Machine(limit)
    assert machine.settle(scaling(0.01, limit)) == limit

    def busy(threads: int) -> float:
        return 0.02 if threads == 1 else 0.3

    machine.run(60, busy)
    assert machine.choice.chosen == 1
    assert machine.ran[-20:] == [1] * 20


def test_a_machine_that_becomes_quiet_is_found_out_in_time() -> None:
    machine = Machine(2)
    assert machine.settle(lambda threads: 0.02 if threads == 1 else 0.3) == 1
    began = machine.now
    while machine.choice.chosen == 1 and machine.now - began < 100:
        machine.run(1, scaling(0.01, 2))
    assert machine.now - began < 65


@settings(max_examples=20)
@given(seconds=st.floats(0.05, 0.5), spin=st.floats(1.5, 20.0))
def test_trials_cost_little_in_the_long_run(seconds: float, spin: float) -> None:
    """The time of an hour with trials, against the best fixed count's."""
    machine = Machine(2)
    while machine.now < 3600:
        machine.run(1, lambda threads: seconds * (spin if threads > 1 else 1))
    assert machine.now <= 1.05 * len(machine.ran) * seconds


def test_passes_that_are_not_alike_are_not_compared() -> None:
    """The first count reads long prompts, and the next one short ones: that says nothing."""
    machine = Machine(2)
    machine.run(3, scaling(1.0, 1), tokens=1000)
    assert machine.settle(scaling(0.001, 1), tokens=10) == 1
    before = len(machine.ran)
    assert machine.settle(scaling(1.0, 2), tokens=1000) == 2
    assert set(machine.ran[before:]) == {1, 2}


def test_fewer_tokens_alone_start_no_trial() -> None:
    machine = Machine(2)
    machine.settle(scaling(0.01, 1), tokens=32)
    before = len(machine.ran)
    machine.run(50, scaling(0.01, 1), tokens=20)
    assert set(machine.ran[before:]) == {1}
