"""G-RIR of a table, as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_coderobust.metrics.restoration import Restoration
from pytest_coderobust.reporting.hostile import escape

NAME = 32
"""Characters of a category's name that are shown."""

HEAD = f"{'category':<{NAME}} {'edits':>6} {'pairs':>6} {'G-RIR':>7} {'clipped':>8} {'left out':>9}"


def render(categories: Mapping[str, Restoration], mean: Restoration, *, repeated: int) -> str:
    """Renders one line a category, then the mean of the categories.

    Args:
        repeated: rows that repeat another one word for word, and were left out.
    """
    lines = [HEAD, *(format_row(escape(name, NAME), found) for name, found in categories.items())]
    if len(categories) > 1:
        lines.append(format_row("mean of categories", mean))
    lines.append("G-RIR is raw; clipped takes a negative L-RIR as 0; left out: nothing to restore")
    if repeated:
        lines.append(f"{repeated} rows that repeat another one word for word were left out")
    return "".join(f"{text}\n" for text in lines)


def format_row(name: str, found: Restoration) -> str:
    return (
        f"{name:<{NAME}} {found.edits:>6} {found.pairs:>6} {format_value(found.raw):>7} "
        f"{format_value(found.clipped):>8} {found.undefined:>9}"
    )


def format_value(value: float | None) -> str:
    """Formats a value with three decimals, "-" where undefined."""
    return "-" if value is None else f"{value:.3f}"
