"""Windows: the squares that are generated together.

A window holds up to 256 tasks of one cell, or as many as the suite says. Windows are cut within a
cell, so that those of C1 do not change when C2 is added to the suite. They are cut from the plan
and never from what is missing, so that a resumed run has the very batches of the run that was
killed: greedy decoding moves with the rows that share a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from pytest_coderobust.config.shard import Shard
from pytest_coderobust.config.suite import WINDOW
from pytest_coderobust.records import Cell, Square, digest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a run, and the index of the window that each square is in."""

    squares: tuple[tuple[Square, ...], ...]
    index: Mapping[Square, int]
    growing: bool = False
    """Whether windows are still added, so that their number is not known."""

    def add(self, squares: Sequence[Square]) -> Windows:
        """The same windows and one more."""
        place = len(self.squares)
        index = {**self.index, **dict.fromkeys(squares, place)}
        return Windows((*self.squares, tuple(squares)), index, growing=True)


def cut_windows(
    wanted: Iterable[Square], tasks: Iterable[str], cells: Iterable[Cell], size: int = WINDOW
) -> Windows:
    """Cuts the wanted squares, each joined by its task's clean square, in plan order.

    Args:
        size: tasks of a window.
    """
    asked = set(wanted)
    # A perturbed prompt is judged beside its clean one, so the clean square comes along.
    asked |= {(task, Cell()) for task, _ in asked}
    rank = {task: place for place, task in enumerate(tasks)}
    column = {cell: place for place, cell in enumerate(cells)}
    ordered = sorted(asked, key=lambda square: (column[square[1]], rank[square[0]]))
    windows: list[tuple[Square, ...]] = []
    for _, squares in groupby(ordered, key=lambda square: square[1]):
        windows += _chunk(tuple(squares), size)
    index = {square: place for place, window in enumerate(windows) for square in window}
    return Windows(tuple(windows), index)


def deal(tasks: Iterable[str], size: int, shard: Shard) -> frozenset[str]:
    """Deals the windows of a plan to shards, and returns the tasks of one; it may have none.

    A shard has the same tasks under every cell, and whole windows of each. They are dealt in the
    order of their digests, so that neighbours, which are often alike, part.
    """
    windows = _chunk(tuple(tasks), size)
    order = sorted(windows, key=lambda window: digest("window", list(window)))
    return frozenset(task for window in order[shard.index - 1 :: shard.count] for task in window)


def cut_batches(rows: Iterable[T], size: int, length: Callable[[T], int]) -> list[tuple[T, ...]]:
    """Cuts rows into batches of up to `size` of like length, the longest first.

    A batch pads its rows to the longest one, so rows of like length waste least. The longest come
    first, so that a batch that does not fit into memory fails at once and not at the end.
    """
    # The sort is stable: rows of equal length keep the plan's order, in every process alike.
    return _chunk(tuple(sorted(rows, key=lambda row: -length(row))), size)


def _chunk(values: tuple[T, ...], size: int) -> list[tuple[T, ...]]:
    return [values[start : start + size] for start in range(0, len(values), size)]
