"""The observations of a run in the order of its plan, whatever order they are read in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_coderobust.records import Cell, Observation


def order_by_plan(
    stored: Iterable[Observation], tasks: Iterable[str], cells: Sequence[Cell]
) -> list[Observation | None]:
    """Puts each observation into its place in the plan, cell by cell; the plan's alone are kept.

    A list and no dictionary by squares: of a million squares that is 8 MB instead of 200.

    Returns:
        One entry for each task under each cell; None where the square was not observed.
    """
    rows = {task: place for place, task in enumerate(tasks)}
    columns = {cell: place * len(rows) for place, cell in enumerate(cells)}
    found: list[Observation | None] = [None] * (len(rows) * len(columns))
    for observation in stored:
        row, column = rows.get(observation.task_id), columns.get(observation.cell)
        if row is not None and column is not None:
            found[column + row] = observation
    return found
