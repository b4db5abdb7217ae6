"""A study in a terminal: one table that needs no paper beside it, and what is behind it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pytest_coderobust.migration.study.result import StudyResult
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.study.figures import NARROW, WIDE, StudyGlyphs
from pytest_coderobust.reporting.study.rows import (
    StudyTable,
    explain_main_table,
    make_main_table,
)
from pytest_coderobust.reporting.study.tables import list_tables
from pytest_coderobust.reporting.study.words import (
    LINE,
    describe_study,
    explain_arm,
    explain_study_gate,
    list_changes,
)
from pytest_coderobust.reporting.terminal.console import print_lines
from pytest_coderobust.reporting.terminal.tables import UNICODE, Glyphs, choose_glyphs, make_table


def render_study(
    result: StudyResult, width: int = 80, colour: bool = False, encoding: str = "utf-8"
) -> str:
    """Renders a study as a terminal of that width and encoding shows it.

    Args:
        width: columns; fewer than 80 wrap lines.
    """
    glyphs = choose_glyphs(encoding)
    signs = WIDE if glyphs is UNICODE and can_encode(WIDE, encoding) else NARROW
    return print_lines(_list_parts(result, glyphs, signs), width, colour, encoding)


def can_encode(signs: StudyGlyphs, encoding: str) -> bool:
    """Whether an encoding has these characters."""
    try:
        f"{signs.none}{signs.dash}{signs.minus}{signs.arrow}".encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _list_parts(
    result: StudyResult, glyphs: Glyphs, signs: StudyGlyphs
) -> Iterator[RenderableType]:
    yield Text(f"{escape(result.model, LINE)} on {escape(result.suite, LINE)}", "bold")
    yield from map(Text, describe_study(result))
    yield ""
    yield draw_table(make_main_table(result, signs), glyphs)
    yield ""
    for word, meaning in explain_main_table(result):
        yield Text(f"{word:<10} {meaning}")
    for table in list_tables(result, signs):
        yield ""
        yield Text(table.title, "bold")
        yield draw_table(table, glyphs)
    yield ""
    for arm in result.arms:
        yield Text(f"{escape(arm.name, LINE)}: {explain_arm(arm)}")
    yield Text(f"changes: {', '.join(list_changes(result))}")
    for note in result.notes:
        yield Text(f"note: {escape(note, LINE)}")
    for gate in result.gates:
        style = {"holds": "green", "fails": "red"}.get(gate.outcome, "yellow")
        reason = explain_study_gate(gate)
        yield Text(f"gate {escape(gate.text, LINE)}  {gate.outcome}  {reason}".rstrip(), style)


def draw_table(table: StudyTable, glyphs: Glyphs) -> Table:
    """Draws a table."""
    drawn = make_table(glyphs, *table.headings)
    for name, *cells in table.rows:
        drawn.add_row(Text(name, "bold"), *cells)
    return drawn
