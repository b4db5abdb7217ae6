"""The numbers of a training grid, as tables for a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from pytest_coderobust.metrics.training_grid import GridNumbers
from pytest_coderobust.reporting.grid_rows import GridMarks, list_grid_remarks, make_grid_tables
from pytest_coderobust.reporting.terminal.console import print_lines
from pytest_coderobust.reporting.terminal.tables import UNICODE, choose_glyphs, make_table

NARROW = 118
"""Columns that the tables need; a narrower terminal wraps lines."""


def render_grid(numbers: GridNumbers, width: int, colour: bool, encoding: str = "utf-8") -> str:
    """Renders the tables and the remarks below them.

    Args:
        width: columns of the terminal.
        colour: whether the stream shows ANSI colours.
        encoding: the stream's.
    """
    glyphs = choose_glyphs(encoding)
    root = "\u221a" if glyphs is UNICODE else "sqrt "
    parts: list[RenderableType] = []
    for found in make_grid_tables(numbers, GridMarks(glyphs.none, glyphs.dash, root)):
        table = make_table(glyphs, *found.headings)
        for row in found.rows:
            table.add_row(*map(Text, row))
        parts += [table, ""]
    parts += [Text(f"note  {remark}") for remark in list_grid_remarks(numbers)]
    return print_lines(parts, max(width, NARROW), colour, encoding)
