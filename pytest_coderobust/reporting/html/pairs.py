"""The picture of clean beside perturbed: for each condition both rates, and the items that changed.

Places are hundredths of a picture's width, so that it needs no script and fits any screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_coderobust.metrics.clean_pairs import CleanPairs
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.reporting.figures import format_estimate, format_number, pick_conditions
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.results.conclusion import SuiteReport

NAME = 80
SHOWN = 30
"""Perturbations in the picture; beyond them those that lose most are shown."""


@dataclass(frozen=True, slots=True)
class PairSpot:
    """A rate as a spot with its interval."""

    text: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FlipBar:
    """Items that changed sides, as a bar to the left and one to the right of a middle line.

    Attributes:
        middle: the place of the line: broken items begin at `broken_from`, fixed ones end at
            `fixed_to`.
    """

    broken: int
    fixed: int
    items: int
    middle: float
    broken_from: float
    fixed_to: float


@dataclass(frozen=True, slots=True)
class PairRow:
    """One condition of the picture."""

    name: str
    pools: bool
    rd: str
    clean: PairSpot
    perturbed: PairSpot
    flips: FlipBar


@dataclass(frozen=True, slots=True)
class PairPicture:
    """The picture of a suite.

    Attributes:
        left_out: perturbations that are in the table alone.
    """

    k: int
    rows: tuple[PairRow, ...]
    left_out: int


def make_pair_picture(report: SuiteReport, pairs: Sequence[CleanPairs]) -> PairPicture | None:
    """Makes the picture; None where nothing perturbed was measured.

    Args:
        pairs: of the report.
    """
    names = {condition.name for condition in pick_conditions(report.summary)}
    measured = [
        pair
        for pair in pairs
        if pair.condition in names and pair.clean is not None and pair.perturbed is not None
    ]
    shown = choose_shown(measured)
    if not shown:
        return None
    middle, scale = fit_flips(shown)
    rows = [make_pair_row(pair, middle, scale) for pair in shown]
    return PairPicture(min(report.run.ks), tuple(rows), len(measured) - len(shown))


def choose_shown(measured: Sequence[CleanPairs]) -> list[CleanPairs]:
    """Chooses the pools, and the perturbations that lose most where there are many; in order."""
    single = [pair for pair in measured if pair.kind == "perturbation"]
    if len(single) <= SHOWN:
        return list(measured)
    worst = sorted(single, key=lambda pair: pair.rd.value if pair.rd else -1.0, reverse=True)
    kept = {pair.condition for pair in worst[:SHOWN]}
    return [pair for pair in measured if pair.kind != "perturbation" or pair.condition in kept]


def fit_flips(pairs: Sequence[CleanPairs]) -> tuple[float, float]:
    """Fits the bars of all rows: the place of their middle line, and hundredths a share of 1."""
    left = max(pair.broken / pair.items for pair in pairs)
    right = max(pair.fixed / pair.items for pair in pairs)
    if not left + right:
        return 50.0, 0.0
    scale = 100 / (left + right)
    return left * scale, scale


def make_pair_row(pair: CleanPairs, middle: float, scale: float) -> PairRow:
    """Makes one row; both rates are known.

    Args:
        middle, scale: as `fit_flips` says.
    """
    assert pair.clean is not None
    assert pair.perturbed is not None
    broken = scale * pair.broken / pair.items
    fixed = scale * pair.fixed / pair.items
    return PairRow(
        name=escape(pair.condition, NAME),
        pools=pair.kind != "perturbation",
        rd=format_estimate(pair.rd),
        clean=draw_spot(pair.clean),
        perturbed=draw_spot(pair.perturbed),
        flips=FlipBar(
            pair.broken,
            pair.fixed,
            pair.items,
            round(middle, 2),
            round(max(middle - broken, 0.0), 2),
            round(min(middle + fixed, 100.0), 2),
        ),
    )


def draw_spot(found: Estimate) -> PairSpot:
    """Draws a rate in hundredths."""
    places = (round(100 * part, 2) for part in (found.value, found.low, found.high))
    return PairSpot(format_number(found.value, 3), *places)
