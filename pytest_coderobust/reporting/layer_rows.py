"""Rows of a sweep over layers: text for tables, and coordinates for a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_coderobust.metrics.layer_sweep import LayerSweep
from pytest_coderobust.metrics.resampling import Spread
from pytest_coderobust.reporting.edit_rows import format_range
from pytest_coderobust.reporting.hostile import escape

_NAME = 80


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer of a perturbation.

    Attributes:
        keys: requests whose key layer it is; `share` as a share of all.
        restored: the mean with its interval as text; value, low and high within 0 to 1.
    """

    name: str
    keys: int
    share: float
    restored: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LayerTable:
    """The layers of one perturbation, under a sentence."""

    heading: str
    rows: tuple[LayerRow, ...]


def make_layer_tables(sweeps: Sequence[LayerSweep]) -> tuple[LayerTable, ...]:
    """Makes one table a perturbation."""
    return tuple(
        LayerTable(describe_sweep(sweep), tuple(map(_make_row, *_columns(sweep))))
        for sweep in sweeps
    )


def describe_sweep(sweep: LayerSweep) -> str:
    """Describes how many requests were traced, and how many have no key layer."""
    name = escape(sweep.perturbation, _NAME)
    counted = f"{sweep.requests} request{'s' * (sweep.requests != 1)}"
    return f"{name}: key layers of {counted}, {sweep.none} without one (no layer restores anything)"


def render_sweep(sweep: LayerSweep) -> list[str]:
    """Renders one line a layer, at most 80 columns wide."""
    lines = [describe_sweep(sweep), "", f"layer  {'key layer of':<26} restored (95 %)"]
    for table in make_layer_tables([sweep]):
        for row in table.rows:
            bar = "#" * round(20 * row.share)
            lines.append(f"{row.name:>9}  {bar:<20} {row.keys:>3}  {row.restored}")
    return lines


def _columns(sweep: LayerSweep) -> tuple[list[LayerSweep], range, tuple[Spread, ...]]:
    depth = len(sweep.restored)
    return [sweep] * depth, range(depth), sweep.restored


def _make_row(sweep: LayerSweep, layer: int, found: Spread) -> LayerRow:
    keys = sweep.keys.get(layer, 0)
    low = found.value if found.low is None else found.low
    high = found.value if found.high is None else found.high
    value, low, high = (min(1.0, max(0.0, each)) for each in (found.value, low, high))
    return LayerRow(
        f"layer {layer}", keys, keys / sweep.requests, format_range(found), value, low, high
    )
