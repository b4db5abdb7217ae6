"""The tables behind the first one, in their order."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_coderobust.migration.study.result import StudyResult
from pytest_coderobust.reporting.study.curve_rows import make_curve_table
from pytest_coderobust.reporting.study.figures import StudyGlyphs
from pytest_coderobust.reporting.study.rows import (
    StudyTable,
    make_difference_table,
    make_edit_table,
    make_end_table,
    make_habit_table,
    make_split_table,
)


def list_tables(result: StudyResult, signs: StudyGlyphs) -> Iterator[StudyTable]:
    """Lists what is behind the first table."""
    found = (
        make_curve_table(result, signs),
        make_end_table(result, "generalisation"),
        make_end_table(result, "specificity"),
        make_habit_table(result, signs),
        make_difference_table(result, signs),
        make_split_table(result, signs),
        make_edit_table(result, signs),
    )
    yield from (table for table in found if table is not None)
