"""Small multiples of a comparison: RD before and now, a chart for each perturbed condition."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_coderobust.metrics.comparison import RateChange, RunComparison
from pytest_coderobust.reporting.figures import format_number
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.html.panels import (
    Chart,
    ChartAxis,
    ChartPoint,
    ChartSeries,
    fit_axis,
    place_turn,
)

NAME = 60
SHOWN = 48
"""Charts of a page; the table has every condition."""


def make_change_charts(comparison: RunComparison | None) -> tuple[Chart, ...]:
    """Makes the charts, all on one scale; none without a comparison, or where RD is undefined."""
    if comparison is None:
        return ()
    changes = [
        change
        for change in comparison.changes
        if change.measure == "rd" and change.before is not None and change.after is not None
    ][:SHOWN]
    axis = fit_axis([0.0, *(place for change in changes for place in list_values(change))])
    return tuple(draw_change(change, axis) for change in changes)


def list_values(change: RateChange) -> Iterator[float]:
    """Lists what a chart shows: both values, and the ends of the change's interval."""
    assert change.before is not None
    assert change.after is not None
    yield from (change.before, change.after)
    # The interval is of the change; drawn at "now" it says where now lies if before is right.
    yield from (change.before + change.low, change.before + change.high)


def draw_change(change: RateChange, axis: ChartAxis) -> Chart:
    """Draws one change."""
    before, after, low, high = list_values(change)
    name = escape(change.condition, NAME)
    told = f"{change.change:+.3f} ({change.low:+.2f} to {change.high:+.2f}), {change.verdict}"
    y = axis.place(before)
    points = (
        ChartPoint(place_turn(0, 2), y, y, y, format_number(before, 3), hollow=True),
        ChartPoint(
            place_turn(1, 2),
            axis.place(after),
            axis.place(low),
            axis.place(high),
            format_number(after, 3),
        ),
    )
    return Chart(
        title=name,
        series=(ChartSeries("perturbed", points),),
        ticks=tuple(axis.list_ticks()),
        marks=(("before", place_turn(0, 2)), ("now", place_turn(1, 2))),
        told=f"{name}: RD before {points[0].text}, now {points[1].text}, change {told}",
        caption=told,
        verdict=change.verdict.replace(" ", "-"),
    )
