"""The audit of perturbed prompts, as a table and the first damaged rows."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.terminal.console import print_lines
from pytest_coderobust.reporting.terminal.tables import choose_glyphs, make_table
from pytest_coderobust.tasks.audit import Audited

KINDS = ("parse", "code", "examples", "numbers", "literals", "structure")
"""The auditor's kinds of damage; structure (line breaks and indents) alone counts as none."""

_NAME = 40
_DETAIL = 160


def render_audit(found: Sequence[Audited], show: int, width: int, encoding: str = "utf-8") -> str:
    """Renders the audit of at least one row, as text that ends in a line end.

    Args:
        show: most damaged rows that are shown with their damage.
        width: columns of the terminal.
    """
    names = list(dict.fromkeys(row.perturbation for row in found))
    headings = ("rows", "damaged", "parse", "code", "exam.", "num.", "lit.", "layout", "same")
    table = make_table(choose_glyphs(encoding), "perturbation", *headings)
    for name in names:
        table.add_row(*_make_cells(name, [row for row in found if row.perturbation == name]))
    if len(names) > 1:
        table.add_row(*_make_cells("all", found))
    lines = (Text(line) for line in _make_lines(found, show))
    return print_lines([table, "", *lines], width, colour=False, encoding=encoding)


def _make_cells(name: str, rows: Sequence[Audited]) -> list[Text]:
    kinds = [{damage.kind for damage in row.damage} for row in rows]
    counts = [
        len(rows),
        sum(row.is_damaged for row in rows),
        *(sum(kind in each for each in kinds) for kind in KINDS),
        sum(row.unchanged for row in rows),
    ]
    return [Text(escape(name, _NAME)), *(Text(str(count)) for count in counts)]


def _make_lines(found: Sequence[Audited], show: int) -> list[str]:
    damaged = [row for row in found if row.is_damaged]
    lines = [_describe_row(row) for row in damaged[: max(show, 0)]]
    if 0 < show < len(damaged):
        lines.append(f"... and {len(damaged) - show} more damaged rows (--show N)")
    by_design = sum(row.by_design for row in found)
    if by_design:
        lines.append(
            f"{by_design} rows change code by design and were not audited; running them proves "
            "them: pytest SUITE --model oracle"
        )
    lines.append(f"{len(damaged)} of {len(found)} rows are damaged")
    return lines


def _describe_row(row: Audited) -> str:
    what = "; ".join(
        f"{damage.kind}: {escape(damage.detail, _DETAIL)}"
        for damage in row.damage
        if damage.kind != "structure"
    )
    name = escape(row.perturbation, _NAME)
    return f"{escape(row.task_id, _NAME)} [{name}-s{row.seed}] {what}"
