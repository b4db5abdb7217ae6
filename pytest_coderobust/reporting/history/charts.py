"""Charts of a history: pass@k clean and perturbed, and RD of each condition, over releases."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.reporting.figures import format_number
from pytest_coderobust.reporting.history.rows import NAME, read_scores
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.html.panels import (
    Chart,
    ChartAxis,
    ChartPoint,
    ChartSeries,
    choose_marks,
    fit_axis,
    place_turn,
)
from pytest_coderobust.results.history import SuiteHistory

SHARES = ChartAxis(0.0, 1.0, 0.25)
SHOWN = 60
"""Charts of RD on a page; the table has every condition."""


def draw_rates(history: SuiteHistory) -> Chart:
    """Draws pass@k of clean and of all perturbed prompts."""
    clean = [read_scores(each.clean, history.k) for each in history.releases]
    wide = [read_scores(each.widest, history.k) for each in history.releases]
    series = [
        (kind, [scores.pass_at_k if scores else None for scores in found])
        for kind, found in (("clean", clean), ("perturbed", wide))
    ]
    return _draw(history, f"pass@{history.k}", series, SHARES)


def draw_losses(history: SuiteHistory) -> tuple[Chart, ...]:
    """Draws RD of each condition, all on one scale."""
    found = {
        name: [
            scores.rd if scores else None
            for release in history.releases
            for scores in [read_scores(release.conditions.get(name), history.k)]
        ]
        for name in history.conditions[:SHOWN]
    }
    # An interval of few tasks may reach far below -1; it must not flatten every line.
    ends = [
        min(max(end, -1.0), 1.0)
        for own in found.values()
        for each in own
        if each is not None
        for end in (each.low, each.high)
    ]
    axis = fit_axis([0.0, *ends])
    return tuple(
        _draw(history, escape(name, NAME), [("perturbed", own)], axis)
        for name, own in found.items()
        if any(own)
    )


def _draw(
    history: SuiteHistory,
    title: str,
    series: list[tuple[str, list[Estimate | None]]],
    axis: ChartAxis,
) -> Chart:
    turns = len(history.releases)
    drawn = tuple(
        ChartSeries(kind, tuple(_place(history, own, axis))) for kind, own in series if any(own)
    )
    return Chart(
        title=title,
        series=drawn,
        ticks=tuple(axis.list_ticks()),
        marks=tuple((str(turn + 1), place_turn(turn, turns)) for turn in choose_marks(turns)),
        told="; ".join((title, *(_tell(each) for each in drawn))),
    )


def _place(
    history: SuiteHistory, values: list[Estimate | None], axis: ChartAxis
) -> Iterator[ChartPoint]:
    for turn, (release, found) in enumerate(zip(history.releases, values, strict=True)):
        if found is not None:
            yield ChartPoint(
                place_turn(turn, len(values)),
                axis.place(found.value),
                axis.place(found.low),
                axis.place(found.high),
                format_number(found.value, 3),
                hollow=bool(release.incomplete or release.differs),
            )


def _tell(series: ChartSeries) -> str:
    return f"{series.kind} {', '.join(point.text for point in series.points)}"
