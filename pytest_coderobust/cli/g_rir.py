"""`coderobust g-rir`: CREME's G-RIR of anybody's table, raw and clipped."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands

if TYPE_CHECKING:
    from pytest_coderobust.metrics.restoration import Restored
    from pytest_coderobust.tasks.rows import DataRow

COLUMNS = ("category", "edit_task", "task", "original", "before", "after")


def register(commands: Commands) -> None:
    parser = commands.add_parser("g-rir", help="CREME's G-RIR of a table, raw and clipped")
    parser.add_argument("file", type=Path, help=f"a table with the columns {', '.join(COLUMNS)}")
    parser.set_defaults(command=g_rir)


def g_rir(options: argparse.Namespace) -> int:
    """Prints the G-RIR of every category and of all of them."""
    from pytest_coderobust.metrics.restoration import average_categories, group_g_rir
    from pytest_coderobust.reporting.terminal.restoration import render
    from pytest_coderobust.tasks.rows import read_rows

    read = [read_restored(row) for row in read_rows(options.file)]
    # The published tables repeat rows word for word.
    rows = list(dict.fromkeys(read))
    categories = group_g_rir(rows)
    text = render(
        categories, average_categories(categories.values()), repeated=len(read) - len(rows)
    )
    print(text, end="")  # noqa: T201
    return 0


def read_restored(row: DataRow) -> Restored:
    """One row of the table.

    Raises:
        DataError: a column is missing, or a rate is none.
    """
    from pytest_coderobust.metrics.restoration import Restored

    category, edit_task, task = (row.identifier(name) for name in COLUMNS[:3])
    original, before, after = (rate(row, name) for name in COLUMNS[3:])
    return Restored(category, edit_task, task, original, before, after)


def rate(row: DataRow, column: str) -> float:
    """A pass rate between 0 and 1.

    Raises:
        DataError: it is none.
    """
    value = row.values.get(column)
    number = float("nan")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
    else:
        text = row.text(column)
        with suppress(ValueError):
            number = float(text)
    if not 0.0 <= number <= 1.0:
        raise row.error(f"{column} = {value!r} must be a pass rate between 0 and 1")
    return number
