"""Small charts of one measure each, on one scale: places in hundredths of the picture's sides.

Hundredths let a browser draw a chart at any width without a script, and text keeps its size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor

LEFT, RIGHT = 20.0, 96.0
TOP, BOTTOM = 8.0, 80.0
"""The ends of the axes; ticks stand left of them, marks below."""

MOST_TICKS = 5
"""Parts that the ticks of an axis cut it into."""

MOST_MARKS = 8


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """One estimate of a chart.

    Attributes:
        low, high: the places of its interval's ends; equal where it has none.
        text: its value, in words of the report.
        hollow: drawn as a ring: it is not measured as the others are.
    """

    x: float
    y: float
    low: float
    high: float
    text: str
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class ChartSeries:
    """Points that a line joins.

    Attributes:
        kind: "clean" or "perturbed", which is how they are drawn.
        segments: (x1, y1, x2, y2) of each part of the line.
    """

    kind: str
    points: tuple[ChartPoint, ...]

    @property
    def segments(self) -> tuple[tuple[float, float, float, float], ...]:
        return tuple((a.x, a.y, b.x, b.y) for a, b in pairwise(self.points))


@dataclass(frozen=True, slots=True)
class Chart:
    """One small chart.

    Attributes:
        ticks, marks: texts of the axes with their places.
        caption: a sentence below; "" for none.
        verdict: the word that colours the caption; "" for none.
        told: the same in words, for those who cannot see it.
    """

    title: str
    series: tuple[ChartSeries, ...]
    ticks: tuple[tuple[str, float], ...]
    marks: tuple[tuple[str, float], ...]
    told: str
    caption: str = ""
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class ChartAxis:
    """A vertical axis that several charts share."""

    low: float
    high: float
    step: float

    def place(self, value: float) -> float:
        """Places a value; one beyond an end is drawn at the end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(BOTTOM - (BOTTOM - TOP) * share, 2)

    def list_ticks(self) -> Iterator[tuple[str, float]]:
        """Lists the values that have a line, with their places."""
        digits = next(d for d in range(4) if round(self.step * 10**d, 6).is_integer())
        for number in range(round((self.high - self.low) / self.step) + 1):
            value = self.low + number * self.step
            yield f"{value + 0.0:.{digits}f}", self.place(value)


def fit_axis(values: Sequence[float]) -> ChartAxis:
    """Fits an axis of round numbers around values; around nothing it goes from 0 to 1."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    for step in list_steps():
        # A value on a tick needs no further one; sums of steps are not exact.
        first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
        last = max(last, first + 1)
        if last - first <= MOST_TICKS:
            return ChartAxis(round(first * step, 9), round(last * step, 9), step)
    raise AssertionError("some step is wide enough")


def list_steps() -> Iterator[float]:
    """Lists round steps, without end."""
    size = 0.01
    while True:
        for factor in (1, 2, 2.5, 5):
            yield round(size * factor, 9)
        size *= 10


def place_turn(turn: int, turns: int) -> float:
    """Places the turn of several, each in the middle of its share of the width."""
    return round(LEFT + (RIGHT - LEFT) * (turn + 0.5) / max(turns, 1), 2)


def choose_marks(turns: int) -> list[int]:
    """Chooses the turns whose number is written: all, or some with the last among them."""
    step = max(1, ceil(turns / MOST_MARKS))
    return sorted(range(turns - 1, -1, -step))
