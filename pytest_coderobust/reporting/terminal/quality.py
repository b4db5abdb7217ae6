"""The quality of solutions, as tables for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from pytest_coderobust.metrics.quality_numbers import QualitySummary
from pytest_coderobust.reporting.quality_rows import make_quality_tables
from pytest_coderobust.reporting.terminal.tables import Glyphs, make_table


def render_quality(quality: QualitySummary | None, glyphs: Glyphs) -> Iterator[RenderableType]:
    """Renders the tables and the remarks below them; nothing where quality was not judged."""
    if quality is None:
        return
    found = make_quality_tables(quality, glyphs.none, glyphs.dash, narrow=True)
    yield ""
    yield Text(found.heading, "bold")
    for each in found.tables:
        table = make_table(glyphs, *each.headings)
        for row in each.rows:
            table.add_row(*map(Text, row))
        yield table
        yield ""
    for remark in found.remarks:
        yield Text(f"note  {remark}")
