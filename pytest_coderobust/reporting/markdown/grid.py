"""The numbers of a training grid, as GitHub Flavored Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_coderobust.metrics.training_grid import GridNumbers
from pytest_coderobust.reporting.grid_rows import GridMarks, list_grid_remarks, make_grid_tables
from pytest_coderobust.reporting.markdown.gfm import format_code, format_table


def render_grid(numbers: GridNumbers) -> str:
    """Renders a block for each table, and the remarks as a list."""
    return "\n\n".join(_render_blocks(numbers)) + "\n"


def _render_blocks(numbers: GridNumbers) -> Iterator[str]:
    yield f"### Training grid, {numbers.tasks} tasks"
    for found in make_grid_tables(numbers, GridMarks()):
        headings = [heading.replace("|", "&#124;") for heading in found.headings]
        yield format_table(headings, [(format_code(row[0]), *row[1:]) for row in found.rows])
    yield "\n".join(f"- {format_code(remark, 1000)}" for remark in list_grid_remarks(numbers))
