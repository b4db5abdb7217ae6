"""The numbers of a training grid, as tables of text that every report for people shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_coderobust.metrics.comparison import RateChange
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.metrics.resampling import Spread
from pytest_coderobust.metrics.training_grid import GridEntry, GridNumbers, LevelTest
from pytest_coderobust.reporting.figures import DASH, NONE, format_estimate, format_number
from pytest_coderobust.reporting.hostile import escape

NAME = 40
DEPENDENT = (
    "the pairs of a Wilcoxon test share tasks, bases and controls: they are not independent, and "
    "its p is too small; the interval redraws tasks, in all pairs at once"
)
EFFECTS = (
    "z/\u221an is what Liu et al. 2026 print as rank-biserial r; the rank-biserial correlation is "
    "in the other column"
)
UNSEEN_NOISE = (
    "unseen: perturbations of which no kind of change was in the training rows, by "
    "coderobust-training.json"
)
HELD = "RD, held: with the control's clean pass@k, so that a lower one is no gain"
UNMATCHED = "steps differ from the control's: more or fewer of them change a model by themselves"
NO_CONTROL = (
    "not attributable to perturbation: no model was trained on the control's rows, and most of "
    "what fine-tuning changes comes from fine-tuning at all"
)


@dataclass(frozen=True, slots=True)
class GridTable:
    """A table: the first column is text, the others are numbers."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class GridMarks:
    """The signs for what is undefined, between the ends of an interval, and for a square root."""

    none: str = NONE
    dash: str = DASH
    root: str = "\u221a"


def make_grid_tables(numbers: GridNumbers, marks: GridMarks) -> Iterator[GridTable]:
    """Makes the tables: every model, its changes against the control, and the levels."""
    many = len({entry.seed for entry in numbers.models if entry.seed is not None}) > 1
    yield _make_model_table(numbers, marks, many)
    if any(entry.changes for entry in numbers.models):
        yield _make_change_table(numbers.models, marks, many)
    if numbers.levels:
        yield _make_level_table(numbers.levels, marks)


def list_grid_remarks(numbers: GridNumbers) -> Iterator[str]:
    """Lists what a reader must know beside the tables."""
    if not numbers.control:
        yield NO_CONTROL
        return
    yield f"control: {escape(numbers.control, NAME)}, the same base and seed"
    yield HELD
    if any(entry.unseen for entry in numbers.models):
        yield UNSEEN_NOISE
    if any(entry.matched is False for entry in numbers.models):
        yield UNMATCHED
    if numbers.levels:
        yield EFFECTS
        yield DEPENDENT


def name_entry(entry: GridEntry, *, seed: bool) -> str:
    """Names a model by its base and the set that it was trained on."""
    name = f"{escape(entry.base, NAME)}, {escape(entry.trained, NAME) or 'untrained'}"
    return f"{name}, seed {entry.seed}" if seed and entry.seed is not None else name


def _make_model_table(numbers: GridNumbers, marks: GridMarks, many: bool) -> GridTable:
    k = numbers.k
    headings = ("model", "steps", f"clean pass@{k}", "perturbed", "unseen", "RD", "RD, held")
    return GridTable(
        headings,
        tuple(
            (
                name_entry(entry, seed=many),
                str(entry.steps),
                *(
                    _format(found, marks)
                    for found in (
                        entry.clean,
                        entry.perturbed,
                        entry.unseen,
                        entry.rd,
                        entry.rd_held,
                    )
                ),
            )
            for entry in numbers.models
        ),
    )


def _make_change_table(entries: Sequence[GridEntry], marks: GridMarks, many: bool) -> GridTable:
    headings = ("against the control", "control", "trained", "change (95%)", "p", "Holm", "verdict")
    return GridTable(
        headings,
        tuple(
            _make_change_row(entry, change, marks, many)
            for entry in entries
            for change in entry.changes
        ),
    )


def _make_change_row(
    entry: GridEntry, change: RateChange, marks: GridMarks, many: bool
) -> tuple[str, ...]:
    rate = "RD" if change.measure == "rd" else change.measure
    holm = None if change.p is None else entry.holm.get(change.condition)
    return (
        f"{name_entry(entry, seed=many)}: {rate} {escape(change.condition, NAME)}",
        marks.none if change.before is None else format_number(change.before, 3),
        marks.none if change.after is None else format_number(change.after, 3),
        f"{change.change:+.3f} ({change.low:+.2f}{marks.dash}{change.high:+.2f})",
        _format_p(change.p),
        _format_p(holm),
        change.verdict,
    )


def _make_level_table(levels: Sequence[LevelTest], marks: GridMarks) -> GridTable:
    headings = ("Wilcoxon", "pairs", "n", "change (95%)", "W", "p", "Holm", f"|z|/{marks.root}n",
                "rank-biserial")  # fmt: skip
    return GridTable(headings, tuple(_make_level_row(each, marks) for each in levels))


def _make_level_row(level: LevelTest, marks: GridMarks) -> tuple[str, ...]:
    rate = "RD" if level.measure == "rd" else level.measure
    found = level.test
    start = (
        f"{level.side} level {escape(level.level, NAME)}: {rate}",
        str(level.pairs),
        str(found.n if found else 0),
        _format_spread(level.mean, level.spread, marks),
    )
    if found is None:
        return (*start, *[marks.none] * 5)
    return (
        *start,
        f"{found.w:g}",
        _format_p(found.p),
        _format_p(level.holm),
        format_number(found.r, 3),
        f"{found.rank_biserial:+.3f}",
    )


def _format(found: Estimate | None, marks: GridMarks) -> str:
    return format_estimate(found, marks.none, marks.dash)


def _format_spread(value: float, spread: Spread | None, marks: GridMarks) -> str:
    if spread is None or spread.low is None or spread.high is None:
        return f"{value:+.3f}"
    return f"{value:+.3f} ({spread.low:+.2f}{marks.dash}{spread.high:+.2f})"


def _format_p(p: float | None) -> str:
    return "" if p is None else f"{p:.2g}"
