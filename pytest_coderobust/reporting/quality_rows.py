"""The quality of solutions, as tables of text that every report for people shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_coderobust.metrics.quality_numbers import (
    ConditionQuality,
    QualityFigure,
    QualityGroup,
    QualitySummary,
)
from pytest_coderobust.metrics.quality_taxonomy import CATEGORIES, TIERS
from pytest_coderobust.reporting.figures import DASH, NONE, format_estimate, format_number
from pytest_coderobust.reporting.hostile import escape

NAME = 40
SHORT = {
    "error 1": "E1",
    "error 2": "E2",
    "warning 1": "W1",
    "warning 2": "W2",
    "warning 3": "W3",
    "refactor high": "R high",
    "refactor low": "R low",
    "convention high": "C high",
    "convention low": "C low",
}

CONFOUNDS = (
    "solutions that fail are worse: pass@k moves every row but those on tasks solved in both",
    "a syntax error hides every other message of its file: its share stands alone",
    "short bodies weigh as much as long ones in the mean of files' scores",
    "what is installed here, and where answers are cut, decide some codes (E1101, W0611, C0303)",
)
OURS = (
    "messages on the prompt's lines are left out: also those about a whole function, which stand "
    "on its first line (R0912, R0915, R1710, W0613)"
)
THEIRS = (
    "the paper's way: pylint's defaults on every line; most conventions are then the prompt's own "
    "(C0114, C0301), and no model wrote them"
)
RUFF = "ruff's rules are not pylint's: the numbers of the two cannot be compared"


@dataclass(frozen=True, slots=True)
class QualityTable:
    """A table: the first column is text, the others are numbers."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class QualityTables:
    """The tables of one suite, under a heading, with sentences below."""

    heading: str
    tables: tuple[QualityTable, ...]
    remarks: tuple[str, ...]


def make_quality_tables(
    quality: QualitySummary, none: str = NONE, dash: str = DASH, *, narrow: bool = False
) -> QualityTables:
    """Makes the tables: shares of syntax errors, the two groups, their tiers, and the pairs.

    Args:
        none, dash: shown for what is undefined, and between the ends of an interval.
        narrow: without the intervals of the groups, for 80 columns.
    """
    conditions = _pick(quality.conditions)
    marks = (none, dash)
    tables = [_make_syntax_table(conditions, *marks)]
    for title in ("parses", "passes"):
        groups = [(each.name, each.parsing) for each in conditions]
        if title == "passes":
            groups = [(each.name, each.passing) for each in conditions]
        tables.append(_make_group_table(title, groups, quality.tool, marks, narrow))
        if quality.tool == "pylint":
            tables.append(_make_tier_table(title, groups, none))
    if any(each.paired for each in conditions):
        tables.append(_make_pair_table(conditions, *marks))
    way = ", the paper's way" if quality.paper else ""
    heading = f"quality by {escape(quality.version, 120)}{way}"
    return QualityTables(heading, tuple(tables), tuple(_list_remarks(quality, conditions)))


def _pick(conditions: Sequence[ConditionQuality]) -> list[ConditionQuality]:
    """Picks the conditions for a table: none that pools the same variants as an earlier one."""
    rows: dict[tuple[str, ...], ConditionQuality] = {}
    for condition in conditions:
        rows.setdefault(condition.members, condition)
    return list(rows.values())


def _make_syntax_table(
    conditions: Sequence[ConditionQuality], none: str, dash: str
) -> QualityTable:
    return QualityTable(
        ("syntax errors", "judged", "errors", "share (95%)"),
        tuple(
            (
                escape(each.name, NAME),
                str(each.judged),
                str(each.syntax),
                format_estimate(each.syntax_share, none, dash),
            )
            for each in conditions
        ),
    )


def _make_group_table(
    title: str,
    groups: Sequence[tuple[str, QualityGroup]],
    tool: str,
    marks: tuple[str, str],
    narrow: bool,
) -> QualityTable:
    """Makes the table of messages per 100 lines by category, and of the files' scores."""
    scored = ("score", "median") if tool == "pylint" else ()
    none, dash = marks
    rows: list[tuple[str, ...]] = []
    for name, group in groups:
        figures = [*group.rates.values(), *((group.score,) if scored else ())]
        shown = [_format(figure, none, "" if narrow else dash) for figure in figures]
        middle = (_format_plain(group.median_score, none),) if scored else ()
        rows.append((escape(name, NAME), str(group.solutions), *shown, *middle))
    headings = (f"{title}: per 100 lines", "n", *CATEGORIES[tool], *scored)
    return QualityTable(headings, tuple(rows))


def _make_tier_table(
    title: str, groups: Sequence[tuple[str, QualityGroup]], none: str
) -> QualityTable:
    tiers = [tier for own in TIERS.values() for tier in own]
    return QualityTable(
        (f"{title}: by tier", *(SHORT[tier] for tier in tiers)),
        tuple(
            (escape(name, NAME), *(_format_plain(group.tiers.get(tier), none) for tier in tiers))
            for name, group in groups
        ),
    )


def _make_pair_table(conditions: Sequence[ConditionQuality], none: str, dash: str) -> QualityTable:
    """Makes the table of differences, one row for each condition and measure."""
    rows = [
        (
            f"{escape(each.name, NAME)} {change.measure}",
            str(each.paired.tasks),
            _format_plain(change.clean, none),
            _format_plain(change.perturbed, none),
            _format(change.change, none, dash),
        )
        for each in conditions
        if each.paired is not None
        for change in each.paired.changes
    ]
    headings = ("solved in both", "tasks", "clean", "perturbed", "difference (95%)")
    return QualityTable(headings, tuple(rows))


def _list_remarks(quality: QualitySummary, conditions: Sequence[ConditionQuality]) -> Iterator[str]:
    """Lists the usual codes, what is left out, and what else may move the numbers."""
    for each in conditions:
        if each.parsing.top:
            codes = (
                f"{escape(f'{t.code} {t.name}'.strip(), 60)} {t.count}" for t in each.parsing.top
            )
            yield f"{escape(each.name, NAME)}, most given: {', '.join(codes)}"
    own = [each for each in quality.conditions if each.kind in ("clean", "perturbation")]
    if unjudged := sum(each.unjudged for each in own):
        yield f"{quality.tool} gave up on some solutions, which are in no number: {unjudged}"
    if quality.left_out:
        yield f"not judged, in another language or no program: {quality.left_out} solutions"
    if quality.tool == "pylint":
        yield THEIRS if quality.paper else OURS
    else:
        yield RUFF
    yield from CONFOUNDS


def _format(figure: QualityFigure | None, none: str, dash: str) -> str:
    """Formats a figure with its interval; without one where `dash` is empty."""
    if figure is None:
        return none
    value = format_number(figure.value, 2)
    if not dash or figure.low is None or figure.high is None:
        return value
    low, high = format_number(figure.low, 2), format_number(figure.high, 2)
    # A range of negative numbers would read as one sign after another.
    between = " to " if min(figure.low, figure.high) < 0 else dash
    return f"{value} ({low}{between}{high})"


def _format_plain(value: float | None, none: str) -> str:
    return none if value is None else format_number(value, 2)
