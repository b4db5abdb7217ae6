"""Shares, changes and their intervals as reports of studies write them."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_coderobust.metrics.attribution import FEW
from pytest_coderobust.migration.study.result import StudyResult
from pytest_coderobust.migration.study.subsets import StudyRate, StudySubset

SUBSET_WORDS: dict[StudySubset, str] = {
    "reliability": "taught",
    "generalisation": "elsewhere",
    "specificity": "untouched",
}
"""Words of the subsets for people who have not read the study."""


@dataclass(frozen=True, slots=True)
class StudyGlyphs:
    """The few characters beyond letters that a report of a study uses."""

    none: str
    dash: str
    minus: str
    arrow: str


WIDE = StudyGlyphs("\u2013", "\u2013", "\u2212", "\u2192")
NARROW = StudyGlyphs("-", "-", "-", "->")


def format_percent(value: float) -> str:
    """Formats a share: 62%."""
    return f"{round(100 * value) + 0:d}%"


def format_share(rate: StudyRate | None, groups: int, glyphs: StudyGlyphs) -> str:
    """Formats a share with its interval: 62% (40-81), with a star of few groups."""
    if rate is None:
        return glyphs.none
    if rate.low is None or rate.high is None:
        return format_percent(rate.value)
    ends = f"{100 * rate.low:.0f}{glyphs.dash}{100 * rate.high:.0f}"
    return f"{format_percent(rate.value)} ({ends}){mark_few(groups)}"


def format_points(rate: StudyRate, groups: int, glyphs: StudyGlyphs) -> str:
    """Formats a change in percentage points with its interval: -21 (-40 to -3)."""
    text = format_signed(rate.value, glyphs)
    if rate.low is None or rate.high is None:
        return text
    low, high = format_signed(rate.low, glyphs), format_signed(rate.high, glyphs)
    return f"{text} ({low} to {high}){mark_few(groups)}"


def format_signed(value: float, glyphs: StudyGlyphs) -> str:
    """Formats a change in percentage points with its sign; none has no sign."""
    points = round(100 * value)
    if not points:
        return "0"
    return f"{'+' if points > 0 else glyphs.minus}{abs(points)}"


def mark_few(groups: int) -> str:
    """Marks an interval that redraws too few groups to be trusted."""
    return "*" if groups < FEW else ""


def count_groups(result: StudyResult) -> int:
    """Counts the groups that intervals over edits redraw."""
    return len(result.changes) if result.redrawn == "changes" else result.specificity
