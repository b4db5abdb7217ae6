"""The comparison with an earlier run, as text that every report for people shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_coderobust.metrics.comparison import RateChange, RunComparison
from pytest_coderobust.records import Square
from pytest_coderobust.reporting.hostile import escape

NAMED = 10
"""Newly fragile or fixed items named in full; the JSON document has them all."""

NAME = 30
"""Characters of a foreign name that are shown."""

HEADINGS = ("before", "now", "change (95%)", "p", "verdict")


def make_change_row(change: RateChange, none: str, dash: str) -> tuple[str, ...]:
    """Makes a row: the rate's name, both values, the change with its interval, p, the verdict.

    Args:
        none: shown for an undefined value.
        dash: shown between the ends of an interval.
    """
    rate = "RD" if change.measure == "rd" else change.measure
    return (
        f"{rate} {escape(change.condition, NAME)}",
        none if change.before is None else f"{change.before:.3f}",
        none if change.after is None else f"{change.after:.3f}",
        f"{change.change:+.3f} ({change.low:+.2f}{dash}{change.high:+.2f})",
        "" if change.p is None else f"{change.p:.2g}",
        change.verdict,
    )


def describe_flips(comparison: RunComparison) -> Iterator[str]:
    """Describes the items that changed sides, and counts the others."""
    yield f"newly fragile: {name_squares(comparison.fragile)}"
    yield f"fixed: {name_squares(comparison.fixed)}"
    yield f"unchanged: {comparison.unchanged} items"


def name_squares(squares: Sequence[Square]) -> str:
    """Counts items, and names the first of them."""
    shown = ", ".join(
        f"{escape(task, NAME)}[{escape(cell.label, NAME)}]" for task, cell in squares[:NAMED]
    )
    more = f" and {len(squares) - NAMED} more" if len(squares) > NAMED else ""
    return f"{len(squares)} items" + (f": {shown}{more}" if squares else "")
