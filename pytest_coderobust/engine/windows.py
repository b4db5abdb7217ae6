"""Windows: which rows are generated together, cut from the plan and never from what is missing.

A window is a run of up to `WINDOW` tasks of one cell. Cutting within a cell keeps the windows of
C1 what they were when C2 joins the suite; cutting from the plan makes a resumed run use the very
batches of the run that was killed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from pytest_coderobust.records import Cell, Square

WINDOW = 256
"""Tasks a window: enough to sort by length, few enough that first results come soon."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a run, and which of them each square lies in."""

    squares: tuple[tuple[Square, ...], ...]
    index: Mapping[Square, int]
    growing: bool = False
    """Whether nobody knows yet how many there will be."""

    def add(self, squares: Sequence[Square]) -> Windows:
        """The same with one window more."""
        place = len(self.squares)
        index = {**self.index, **dict.fromkeys(squares, place)}
        return Windows((*self.squares, tuple(squares)), index, growing=True)


def cut_windows(wanted: Iterable[Square], tasks: Iterable[str], cells: Iterable[Cell]) -> Windows:
    """Cuts the wanted squares, each joined by its task's clean square, in plan order."""
    asked = set(wanted)
    asked |= {(task, Cell()) for task, _ in asked}
    rank = {task: place for place, task in enumerate(tasks)}
    column = {cell: place for place, cell in enumerate(cells)}
    ordered = sorted(asked, key=lambda square: (column[square[1]], rank[square[0]]))
    windows: list[tuple[Square, ...]] = []
    for _, squares in groupby(ordered, key=lambda square: square[1]):
        windows += _chunk(tuple(squares), WINDOW)
    index = {square: place for place, window in enumerate(windows) for square in window}
    return Windows(tuple(windows), index)


def cut_batches(rows: Iterable[T], size: int, length: Callable[[T], int]) -> list[tuple[T, ...]]:
    """Batches of up to `size` rows of like length, the longest first.

    The longest first, so that a batch that does not fit into memory shows at once.
    """
    return _chunk(tuple(sorted(rows, key=lambda row: -length(row))), size)


def _chunk(values: tuple[T, ...], size: int) -> list[tuple[T, ...]]:
    return [values[start : start + size] for start in range(0, len(values), size)]
