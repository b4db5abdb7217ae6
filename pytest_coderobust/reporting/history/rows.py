"""The history of a suite as tables of text that terminal and page share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_coderobust.metrics.comparison import RunComparison
from pytest_coderobust.metrics.condition import ConditionSummary, Scores
from pytest_coderobust.reporting.figures import DASH, NONE, format_estimate, format_number
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.results.history import Release, SuiteHistory

NAME = 60
LINE = 300
DIGITS = 12


@dataclass(frozen=True, slots=True)
class HistoryMarks:
    """The signs for what is undefined, and between the ends of an interval."""

    none: str = NONE
    dash: str = DASH


@dataclass(frozen=True, slots=True)
class HistoryTable:
    """A table: its first two columns are text, the others are numbers or words."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def name_release(release: Release) -> str:
    """Names a release: its label with the model, and how the model was edited."""
    model = escape(release.model.name, NAME)
    edited = "".join(f" + {escape(editor, NAME)}" for editor in release.edited)
    label = escape(release.label, NAME)
    return f"{label}: {model}{edited}" if label else f"{model}{edited}"


def make_release_table(history: SuiteHistory, marks: HistoryMarks) -> HistoryTable:
    """Makes the table of releases: identity, rates, gates, and the verdict against the last."""
    k = history.k
    return HistoryTable(
        (
            "", "release", "fingerprint", "tasks", f"pass@{k} (95 %)", "perturbed",
            "RD (95 %)", "gates", "against the one before",
        ),
        tuple(
            make_release_row(number, release, k, marks)
            for number, release in enumerate(history.releases, 1)
        ),
    )  # fmt: skip


def make_release_row(number: int, release: Release, k: int, marks: HistoryMarks) -> tuple[str, ...]:
    clean, widest = release.clean, release.widest
    wide = read_scores(widest, k)
    known = read_scores(clean, k)
    return (
        f"{number}{'*' if release.incomplete or release.differs else ''}",
        name_release(release),
        escape(release.model.digest[:DIGITS]),
        str(clean.tasks),
        format_estimate(known.pass_at_k if known else None, marks.none, marks.dash),
        format_estimate(wide.pass_at_k if wide else None, marks.none, marks.dash),
        format_estimate(wide.rd if wide else None, marks.none, marks.dash),
        release.standing.word,
        describe_change(release.change, marks),
    )


def describe_change(change: RunComparison | None, marks: HistoryMarks) -> str:
    """Describes the change since the release before: the verdict, and the items that flipped."""
    if change is None:
        return marks.none
    return f"{change.verdict}, {len(change.fragile)} broken, {len(change.fixed)} fixed"


def read_scores(condition: ConditionSummary | None, k: int) -> Scores | None:
    """Reads a condition's rates at k; None where a release has no such."""
    return condition.scores.get(k) if condition is not None else None


def make_rd_table(
    history: SuiteHistory, marks: HistoryMarks, *, last: int, intervals: bool
) -> HistoryTable | None:
    """Makes the table of RD: a condition a row, a release a column; None without conditions.

    Args:
        last: releases that are shown, the last ones.
        intervals: whether each value has its interval.
    """
    if not history.conditions:
        return None
    first = max(0, len(history.releases) - last)
    shown = history.releases[first:]
    headings = ("RD", *(str(number) for number in range(first + 1, len(history.releases) + 1)))
    rows: list[tuple[str, ...]] = []
    for name in history.conditions:
        cells: list[str] = []
        for release in shown:
            scores = read_scores(release.conditions.get(name), history.k)
            rd = scores.rd if scores else None
            if rd is None:
                cells.append(marks.none)
            elif intervals:
                cells.append(format_estimate(rd, marks.none, marks.dash))
            else:
                cells.append(format_number(rd.value, 3))
        rows.append((escape(name, NAME), *cells))
    return HistoryTable(headings, tuple(rows))


def list_history_remarks(history: SuiteHistory) -> Iterator[str]:
    """Lists why releases are marked, and what the verdicts mean."""
    for number, release in enumerate(history.releases, 1):
        if release.incomplete:
            yield f"{number}* is partial: {escape(release.incomplete, LINE)}"
        if release.differs:
            yield (
                f"{number}* does not compare with the latest: {escape(release.differs, LINE)} "
                "changed"
            )
        clean = read_scores(release.clean, history.k)
        if clean and clean.pass_at_k and clean.pass_at_k.value == 0:
            yield f"{number} solves no clean prompt, so its RD says nothing"
    if any(release.change for release in history.releases):
        yield (
            "against the one before: the paired comparison with the last whole release that "
            f"measured the same, at a margin of {history.margin:g}"
        )
