"""The quality of solutions, as GitHub Flavored Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_coderobust.metrics.quality_numbers import QualitySummary
from pytest_coderobust.reporting.markdown.gfm import format_code, format_table
from pytest_coderobust.reporting.quality_rows import make_quality_tables


def render_quality_blocks(quality: QualitySummary | None, rows: int) -> Iterator[str]:
    """Renders a block for each table; nothing where quality was not judged.

    Args:
        rows: most rows of a table.
    """
    if quality is None:
        return
    found = make_quality_tables(quality)
    yield f"### Quality: {format_code(found.heading)}"
    for table in found.tables:
        shown = [(format_code(row[0]), *row[1:]) for row in table.rows[:rows]]
        yield format_table(table.headings, shown)
    yield "\n".join(f"- {format_code(line, 1000)}" for line in found.remarks)
