"""The curve of a study whose edits add up: each arm after one edit, two, and more."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_coderobust.migration.study.result import StudyCheckpoint, StudyResult
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.study.figures import SUBSET_WORDS, StudyGlyphs, format_percent
from pytest_coderobust.reporting.study.rows import NAME, StudyTable

MEASURES = ("taught: new", "elsewhere: new", "taught", "elsewhere", "untouched")
"""The share that uses the new API and passes, then the share that passes."""


def read_measures(point: StudyCheckpoint) -> tuple[float | None, ...]:
    """Reads the values of `MEASURES`; None without such tasks."""
    found = [point.subset(name) for name in SUBSET_WORDS]
    new = (each.adoption if each else None for each in found[:2])
    return (
        *(each.correct_rate.value if each else None for each in new),
        *(each.rates[0].passed.value if each else None for each in found),
    )


def make_curve_table(result: StudyResult, glyphs: StudyGlyphs) -> StudyTable | None:
    """Makes the table of the curve; None where edits do not add up."""
    if result.regime != "successive":
        return None
    title = "After one edit on top of the other: uses the new API and passes; passes"
    return StudyTable(title, ("arm", "edits", *MEASURES), tuple(_list_rows(result, glyphs)))


def _list_rows(result: StudyResult, glyphs: StudyGlyphs) -> Iterator[tuple[str, ...]]:
    for arm in result.arms:
        for point in arm.checkpoints:
            cells = (
                glyphs.none if value is None else format_percent(value)
                for value in read_measures(point)
            )
            yield escape(arm.name, NAME), str(point.edits), *cells
