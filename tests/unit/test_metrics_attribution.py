"""Attribution of changes in pass rate: the table, the identity, and the interval's coverage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.errors import UsageError
from pytest_coderobust.metrics.attribution import (
    DIFFERENCE,
    RATE,
    AttributedTask,
    CompileCounts,
    Factors,
    attribute,
    bound_mean,
    compute_factors,
    split_change,
)
from pytest_coderobust.metrics.pass_at_k import pass_at_k

NEAR = 1e-12


def factors(compiled: str, passed: str | None) -> Factors:
    return Factors(Fraction(compiled), Fraction(passed) if passed is not None else None)


TABLE = {
    "both factors": (factors("0.9", "0.8"), factors("0.5", "0.6"), -0.42, -0.28, -0.14, (2 / 3, 1 / 3), False),
    "to nothing": (factors("0.9", "0.8"), factors("0", None), -0.72, -0.72, 0.0, None, True),
    "against each other": (factors("0.9", "0.5"), factors("0.6", "0.75"), 0.0, -0.1875, 0.1875, None, False),
    "mostly post": (factors("0.95", "0.8"), factors("0.93", "0.5"), -0.295, -0.013, -0.282, (0.013 / 0.295, 0.282 / 0.295), False),
    "from nothing": (factors("0", None), factors("0.5", "0.5"), 0.25, 0.25, 0.0, None, True),
    "nothing at all": (factors("0", None), factors("0", None), 0.0, 0.0, 0.0, None, False),
    "no change": (factors("0.7", "0.6"), factors("0.7", "0.6"), 0.0, 0.0, 0.0, None, False),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_the_table(name: str) -> None:
    before, after, change, compiling, post, shares, flagged = TABLE[name]
    found = split_change(before, after)
    assert float(found.change) == pytest.approx(change, abs=NEAR)
    assert float(found.compiling) == pytest.approx(compiling, abs=NEAR)
    assert float(found.post) == pytest.approx(post, abs=NEAR)
    assert found.flagged is flagged
    if shares is None:
        assert found.shares is None
    else:
        assert found.shares is not None
        assert tuple(map(float, found.shares)) == pytest.approx(shares, abs=NEAR)


def task(group: str, before: tuple[int, int, int], after: tuple[int, int, int]) -> AttributedTask:
    return AttributedTask(group, CompileCounts(*before), CompileCounts(*after))


TWO = [task("A", (10, 10, 10), (10, 0, 0)), task("B", (10, 10, 0), (10, 10, 0))]
FOUR = [
    task("A", (1, 1, 1), (1, 0, 0)),
    task("B", (1, 1, 1), (1, 1, 0)),
    task("C", (1, 1, 1), (1, 1, 1)),
    task("D", (1, 1, 0), (1, 0, 0)),
]


@pytest.mark.parametrize(
    ("tasks", "own", "pooled"),
    [(TWO, (-0.5, 0.0), (-0.125, -0.375)), (FOUR, (-0.25, -0.25), (-0.3125, -0.1875))],
)
def test_pooled_rates_can_blame_the_wrong_factor(
    tasks: list[AttributedTask], own: tuple[float, float], pooled: tuple[float, float]
) -> None:
    found = attribute(tasks)
    assert found is not None
    assert (float(found.mean.compiling), float(found.mean.post)) == pytest.approx(own, abs=NEAR)
    assert (float(found.pooled.compiling), float(found.pooled.post)) == pytest.approx(
        pooled, abs=NEAR
    )
    assert found.mean.change == found.pooled.change == Fraction(-1, 2)
    assert found.flagged == sum(each.after.compiled == 0 for each in tasks)


def test_factors_of_pass_at_k_are_unbiased() -> None:
    found = compute_factors(CompileCounts(5, 4, 2), 3)
    assert (found.compiled, found.rate, found.passed) == (1, Fraction(9, 10), Fraction(9, 10))


COUNTS = st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 8)).map(
    lambda each: CompileCounts(sum(each) + 1, each[0] + each[1], each[0])
)


@given(COUNTS, COUNTS, st.data())
def test_the_parts_sum_to_the_change(
    before: CompileCounts, after: CompileCounts, data: st.DataObject
) -> None:
    k = data.draw(st.integers(1, min(before.n, after.n)))
    split = split_change(compute_factors(before, k), compute_factors(after, k))
    change = pass_at_k(after.n, after.passed, k) - pass_at_k(before.n, before.passed, k)
    assert float(split.change) == pytest.approx(change, abs=NEAR)
    back = split_change(compute_factors(after, k), compute_factors(before, k))
    assert (back.compiling, back.post) == (-split.compiling, -split.post)
    if split.shares is not None:
        assert sum(split.shares) == 1
        assert all(share > 0 for share in split.shares)
    # One factor alone that changes has all of the change.
    if before.compiled == after.compiled and before.n == after.n:
        assert split.compiling == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), COUNTS, COUNTS), min_size=1, max_size=9))
def test_means_over_tasks_sum_too(rows: list[tuple[str, CompileCounts, CompileCounts]]) -> None:
    tasks = [AttributedTask(*row) for row in rows]
    found = attribute(tasks)
    assert found is not None
    assert found.mean.change == found.pooled.change
    assert found.groups == len({each.group for each in tasks})
    assert found.few
    for estimate, part in ((found.compiling, found.mean.compiling), (found.post, found.mean.post)):
        assert (estimate is None) is (found.groups == 1)
        if estimate is not None:
            assert estimate.low <= estimate.value <= estimate.high
            assert estimate.value == pytest.approx(float(part), abs=NEAR)
    assert attribute(tasks[::-1]) == found


EFFECTS: dict[str, tuple[Callable[[Random], float], float]] = {
    # Of a change: the effect that its tasks share, and the mean of it over changes.
    "normal": (lambda random: random.gauss(-0.3, 0.3), -0.3),
    "it works or not": (lambda random: -0.85 if random.random() < 0.35 else -0.05, -0.33),
    "rarely": (lambda random: -0.8 if random.random() < 0.1 else 0.0, -0.08),
}


def simulate(
    effect: str, changes: int, rounds: int
) -> Iterator[tuple[list[str], list[float], float]]:
    """Simulates changes of 1 to 19 tasks that share their change's effect: groups, values, the truth."""
    random = Random(4)
    draw, truth = EFFECTS[effect]
    for _ in range(rounds):
        groups: list[str] = []
        values: list[float] = []
        for change in range(changes):
            shared = draw(random)
            for _ in range(random.randint(1, 19)):
                groups.append(f"{change:02}")
                lost = -1.0 if random.random() < -shared else 0.0
                values.append(random.gauss(shared, 0.2) if effect == "normal" else lost)
        yield groups, values, truth


def covers(groups: list[str], values: list[float], truth: float) -> bool:
    found = bound_mean(groups, values)
    assert found is not None
    return found.low <= truth <= found.high


def test_the_interval_covers_where_changes_differ() -> None:
    """The cut: redrawing changes covers, redrawing tasks does not."""
    rounds = list(simulate("normal", 12, 60))
    assert sum(covers(*each) for each in rounds) >= 55
    alone = [([f"{at:03}" for at in range(len(row[1]))], *row[1:]) for row in rounds]
    assert sum(covers(*each) for each in alone) <= 44


@pytest.mark.slow
@pytest.mark.parametrize("changes", [5, 10, 20, 40])
@pytest.mark.parametrize("effect", EFFECTS)
def test_the_interval_covers_in_every_simulation(effect: str, changes: int) -> None:
    """The table in docs/metrics.md."""
    rounds = 1000
    share = sum(covers(*each) for each in simulate(effect, changes, rounds)) / rounds
    assert share >= 0.92, share


def test_changes_that_look_alike_are_not_sure() -> None:
    groups = [f"{at}" for at in range(10)]
    for extremes, value in ((DIFFERENCE, 0.0), (RATE, 0.0), (DIFFERENCE, -1.0), (RATE, 1.0)):
        found = bound_mean(groups, [value] * 10, extremes)
        assert found is not None
        assert min(extremes) <= found.low <= value <= found.high <= max(extremes)
        assert 0.05 < found.high - found.low < 0.4, (extremes, value)


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 4)), min_size=2, max_size=12),
    st.randoms(use_true_random=False),
)
def test_neither_names_nor_order_move_an_interval(
    rows: list[tuple[str, int]], random: Random
) -> None:
    names = dict(zip("abcd", random.sample("wxyz", 4), strict=True))
    shuffled = [(names[group], value) for group, value in rows]
    random.shuffle(shuffled)
    both = [
        bound_mean([group for group, _ in each], [value / 4 for _, value in each], RATE)
        for each in (rows, shuffled)
    ]
    assert both[0] == both[1]
    if both[0] is not None:
        assert 0 <= both[0].low <= both[0].value <= both[0].high <= 1


def test_few_groups_are_marked_and_none_have_no_numbers() -> None:
    assert attribute([]) is None
    found = attribute([task(str(at), (1, 1, 1), (1, 0, 0)) for at in range(10)])
    assert found is not None
    assert not found.few
    assert found.compiling is not None
    assert found.compiling.low == -1.0
    assert found.compiling.high < 0


@pytest.mark.parametrize("counts", [(0, 0, 0), (3, 2, 3), (3, 4, 1), (3, 2, -1)])
def test_counts_that_cannot_be_are_refused(counts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="is not a valid count"):
        CompileCounts(*counts)


def test_more_than_the_samples_is_refused() -> None:
    with pytest.raises(UsageError, match="pass@3 needs at least 3 samples, and there are 2"):
        attribute([task("A", (2, 2, 2), (2, 2, 2))], k=3)
