"""Pictures of the curve: a chart for each measure, a line for each arm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_coderobust.migration.study.result import StudyResult
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.study.curve_rows import MEASURES, read_measures
from pytest_coderobust.reporting.study.figures import format_percent
from pytest_coderobust.reporting.study.rows import NAME

LEFT, RIGHT, TOP, BOTTOM = 34, 306, 10, 150
"""The ends of the axes in a picture of 320 by 180."""
STYLES = 8
"""Line styles; further arms use them again, and are told apart by the table."""


@dataclass(frozen=True, slots=True)
class CurveLine:
    """The line of one arm.

    Attributes:
        style: a number below `STYLES`.
        points: places of the picture, (x, y).
    """

    arm: str
    style: int
    points: tuple[tuple[float, float], ...]

    @property
    def path(self) -> str:
        """The points as SVG reads them."""
        return " ".join(f"{x:g},{y:g}" for x, y in self.points)


@dataclass(frozen=True, slots=True)
class CurveChart:
    """One chart.

    Attributes:
        ticks: numbers of edits with their places.
        told: the last values in words, for those who cannot see it.
    """

    title: str
    lines: tuple[CurveLine, ...]
    ticks: tuple[tuple[int, float], ...]
    told: str


def make_charts(result: StudyResult) -> tuple[CurveChart, ...]:
    """Makes a chart for each measure that has values; none where edits do not add up."""
    if result.regime != "successive":
        return ()
    most = max((point.edits for arm in result.arms for point in arm.checkpoints), default=0)
    return tuple(
        CurveChart(title, lines, tuple(list_ticks(most)), told)
        for at, title in enumerate(MEASURES)
        for lines, told in [_draw(result, at, most)]
        if lines
    )


def _draw(result: StudyResult, measure: int, most: int) -> tuple[tuple[CurveLine, ...], str]:
    lines: list[CurveLine] = []
    told: list[str] = []
    for number, arm in enumerate(result.arms):
        values = [
            (point.edits, value)
            for point in arm.checkpoints
            if (value := read_measures(point)[measure]) is not None
        ]
        if not values:
            continue
        name = escape(arm.name, NAME)
        points = tuple((place_edits(edits, most), place_share(v)) for edits, v in values)
        lines.append(CurveLine(name, number % STYLES, points))
        told.append(f"{name} {format_percent(values[-1][1])}")
    return tuple(lines), f"after {most} edits: {', '.join(told)}"


def place_edits(edits: int, most: int) -> float:
    """Places a number of edits on the horizontal axis, which begins at none."""
    return round(LEFT + (RIGHT - LEFT) * edits / max(most, 1), 2)


def place_share(share: float) -> float:
    """Places a share on the vertical axis."""
    return round(BOTTOM - (BOTTOM - TOP) * share, 2)


def list_ticks(most: int) -> Iterator[tuple[int, float]]:
    """Lists about five numbers of edits, with their places."""
    step = max(1, -(-most // 5))
    for edits in range(0, most + 1, step):
        yield edits, place_edits(edits, most)
