"""The history of suites for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from pytest_coderobust.reporting.history.rows import (
    HistoryMarks,
    HistoryTable,
    list_history_remarks,
    make_rd_table,
    make_release_table,
)
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.terminal.console import print_lines
from pytest_coderobust.reporting.terminal.tables import Glyphs, choose_glyphs
from pytest_coderobust.results.history import SuiteHistory

NARROW = 150
"""Columns that the table of releases needs; a narrower terminal wraps lines."""

LAST = 12
"""Releases whose RD is shown by condition; the page and the document have all."""

TEXT_COLUMNS = ("", "release", "RD", "gates", "against the one before")


def render_history(
    histories: Sequence[SuiteHistory], width: int, colour: bool, encoding: str = "utf-8"
) -> str:
    """Renders the tables of every suite, with the remarks on them.

    Args:
        width: columns of the terminal.
        colour: whether the stream shows ANSI colours.
        encoding: the stream's.
    """
    glyphs = choose_glyphs(encoding)
    marks = HistoryMarks(glyphs.none, glyphs.dash)
    parts: list[RenderableType] = []
    for history in histories:
        parts += ["", Text(f"suite {escape(history.suite, 300)}", "bold")]
        parts.append(_draw_table(make_release_table(history, marks), glyphs))
        losses = make_rd_table(history, marks, last=LAST, intervals=False)
        if losses is not None:
            parts += ["", _draw_table(losses, glyphs)]
        parts += [Text(f"note  {remark}") for remark in list_history_remarks(history)]
    return print_lines(parts[1:], max(width, NARROW), colour, encoding)


def _draw_table(found: HistoryTable, glyphs: Glyphs) -> RenderableType:
    from rich.table import Table

    table = Table(box=glyphs.box, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in found.headings:
        left = heading in TEXT_COLUMNS
        table.add_column(
            heading,
            justify="left" if left else "right",
            no_wrap=not left,
            overflow="fold",
        )
    for row in found.rows:
        table.add_row(*map(Text, row))
    return table
