"""L-RIR and G-RIR against values worked by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.metrics.restoration import (
    Restored,
    average_categories,
    g_rir,
    group_g_rir,
    l_rir,
)

RATES = st.integers(0, 10).map(lambda c: c / 10)


def row(edit: str, task: str, original: float, before: float, after: float) -> Restored:
    return Restored("C1", edit, task, original, before, after)


@pytest.mark.parametrize(
    ("original", "before", "after", "expected"),
    [
        (0.8, 0.3, 0.8, 0.5 / 0.50001),
        (0.8, 0.3, 0.55, 0.25 / 0.50001),
        (0.8, 0.3, 0.1, -0.2 / 0.50001),
        (1.0, 0.0, 0.0, 0.0),
        (0.5, 0.5, 1.0, None),
        (0.3, 0.5, 1.0, None),
    ],
)
def test_one_ratio(original: float, before: float, after: float, expected: float | None) -> None:
    found = l_rir(original, before, after)
    assert found == (None if expected is None else pytest.approx(expected, abs=1e-12))


def test_both_forms_leave_out_the_edited_task_and_what_lost_nothing() -> None:
    # Edit A: B gets back half, C loses as much as a quarter; A itself is whole again.
    # Edit B: A gets back all, C was never broken for it. Edit C: nothing is defined.
    rows = [
        row("A", "A", 1.0, 0.0, 1.0),
        row("A", "B", 1.0, 0.0, 0.5),
        row("A", "C", 1.0, 0.2, 0.0),
        row("B", "A", 0.9, 0.4, 0.9),
        row("B", "C", 0.6, 0.6, 1.0),
        row("C", "A", 0.1, 0.4, 0.9),
    ]
    found = g_rir(rows)
    half, quarter, whole = 0.5 / 1.00001, -0.2 / 0.80001, 0.5 / 0.50001
    assert found.raw == pytest.approx(((half + quarter) / 2 + whole) / 2)
    assert found.clipped == pytest.approx((half / 2 + whole) / 2)
    assert (found.edits, found.pairs, found.undefined) == (2, 3, 2)


def test_every_category_counts_once() -> None:
    many = [Restored("many", "A", f"T{i}", 1.0, 0.0, 1.0) for i in range(9)]
    one = [Restored("one", "A", "T", 1.0, 0.0, 0.0)]
    none = [Restored("none", "A", "A", 1.0, 0.0, 0.0)]
    categories = group_g_rir([*many, *one, *none])
    found = average_categories(categories.values())
    assert found.raw == pytest.approx(0.5, abs=1e-4)
    assert (found.edits, found.pairs) == (2, 10)
    assert categories["none"].raw is None


@given(st.lists(st.tuples(RATES, RATES, RATES), min_size=1, max_size=8))
def test_clipping_never_lowers_and_the_order_never_matters(
    rates: list[tuple[float, float, float]],
) -> None:
    rows = [row("E", f"T{i}", *values) for i, values in enumerate(rates)]
    found, turned = g_rir(rows), g_rir(rows[::-1])
    assert found == turned
    if found.raw is not None and found.clipped is not None:
        assert found.clipped >= max(found.raw, 0.0) - 1e-12
