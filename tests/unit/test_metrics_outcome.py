from __future__ import annotations

import pytest

from pytest_coderobust.metrics.outcome import decide_status, is_solved
from pytest_coderobust.records import Cell, Status


@pytest.mark.parametrize(
    ("n", "c", "solved_at", "expected"),
    [
        (4, 2, 0.5, True),
        (4, 1, 0.5, False),
        (5, 3, 0.5, True),
        (1, 1, 1.0, True),
        (9, 1, 0.0, True),
        (9, 0, 0.0, False),
        (0, 0, 0.5, False),
    ],
)
def test_solved_is_a_share_and_one_sample_at_least(
    n: int, c: int, solved_at: float, expected: bool
) -> None:
    assert is_solved(n, c, solved_at) is expected


@pytest.mark.parametrize(
    ("cell", "clean", "seen", "expected"),
    [
        (Cell(), (2, 1), (2, 1), Status.SOLVED),
        (Cell(), (2, 0), (2, 0), Status.UNSOLVED),
        (Cell("C1"), (2, 1), (2, 2), Status.ROBUST),
        (Cell("C1"), (2, 2), (2, 0), Status.BROKEN),
        (Cell("C1"), (2, 0), (2, 2), Status.UNSOLVED),
    ],
)
def test_a_variant_is_judged_beside_its_clean_prompt(
    cell: Cell, clean: tuple[int, int], seen: tuple[int, int], expected: Status
) -> None:
    assert decide_status(cell, clean, seen, 0.5) is expected
