"""The tables of a study, as text that every report for people shares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

from pytest_coderobust.migration.study.result import ArmResult, StudyResult
from pytest_coderobust.migration.study.subsets import (
    RegressionResult,
    StudySubset,
    SubsetResult,
)
from pytest_coderobust.reporting.adoption_rows import STAGE_HEADINGS, make_stage_row
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.study.figures import (
    SUBSET_WORDS,
    StudyGlyphs,
    count_groups,
    format_percent,
    format_points,
    format_share,
)

NAME = 40
"""Characters of an arm's name that are shown."""
StudyRow = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StudyTable:
    """One table.

    Attributes:
        title: a sentence on it; "" for the first one, whose words are explained beneath.
    """

    title: str
    headings: StudyRow
    rows: tuple[StudyRow, ...]


def make_main_table(result: StudyResult, glyphs: StudyGlyphs) -> StudyTable:
    """Makes the table that answers: does it use the new function, and what else broke?"""
    headings = ("arm", "taught", "elsewhere (95%)", "passes", "old", "lost (95%)", "edits", "s")
    rows = tuple(_make_main_row(result, arm, glyphs) for arm in result.arms)
    return StudyTable("", headings, rows)


def _make_main_row(result: StudyResult, arm: ArmResult, glyphs: StudyGlyphs) -> StudyRow:
    taught, elsewhere = (arm.final.subset(name) for name in ("reliability", "generalisation"))
    own = taught.adoption if taught else None
    other = elsewhere.adoption if elsewhere else None
    groups = elsewhere.groups if elsewhere else 0
    return (
        escape(arm.name, NAME),
        format_share(own.correct_rate, 0, glyphs).partition(" ")[0] if own else glyphs.none,
        format_share(other.correct_rate, groups, glyphs) if other else glyphs.none,
        format_percent(elsewhere.rates[0].passed.value) if elsewhere else glyphs.none,
        format_percent(other.stale_rate.value) if other else glyphs.none,
        *_make_lost(result, arm.final.regressions, arm, glyphs),
        f"{arm.seconds:.0f}" if arm.kind in ("editor", "control") else glyphs.none,
    )


def _make_lost(
    result: StudyResult, found: RegressionResult | None, arm: ArmResult, glyphs: StudyGlyphs
) -> StudyRow:
    if found is None or arm.kind == "none":
        return glyphs.none, glyphs.none
    share = format_share(found.rate, count_groups(result), glyphs)
    return share, f"{found.edits_with_lost}/{found.edits}"


def explain_main_table(result: StudyResult) -> tuple[tuple[str, str], ...]:
    """Explains the words of the first table, one at a time."""
    over = "changes" if result.redrawn == "changes" else "tasks"
    return (
        ("taught", "tasks that edits are made with: answers that use the new API and pass"),
        ("elsewhere", "the same in other tasks whose solutions use these APIs"),
        ("passes", "elsewhere: answers that pass, with the new API or without it"),
        ("old", "elsewhere: answers that reach for the old name, and fail"),
        ("lost", f"of the {result.specificity} other tasks: solved before the edit, not after it"),
        ("edits", "edits that lose one or more; the more tasks are asked, the more do"),
        ("(95%)", f"interval over {over}; with * of fewer than 10, not to be trusted"),
    )


def make_end_table(result: StudyResult, subset: StudySubset) -> StudyTable | None:
    """Makes the table of where the answers of one subset end; None without such tasks."""
    rows = tuple(
        (escape(arm.name, NAME), *make_stage_row(found.stages))
        for arm in result.arms
        if (found := arm.final.subset(subset)) is not None
    )
    title = f"Where answers end, {SUBSET_WORDS[subset]}"
    return StudyTable(title, ("arm", *STAGE_HEADINGS[1:]), rows) if rows else None


def make_habit_table(result: StudyResult, glyphs: StudyGlyphs) -> StudyTable | None:
    """Makes the table of the eligible tasks; None where no task is eligible."""
    headings = ("arm", "tasks", "new (95%)", "new, wrong", "without", "old", "other", "lost")
    rows: list[StudyRow] = []
    for arm in result.arms:
        found = arm.final.subset("generalisation")
        if found is None or found.eligible is None or not found.eligible.counts.eligible:
            continue
        counts, adoption = found.eligible.counts, found.eligible.adoption
        numbers = (
            counts.incorrect, counts.workaround, counts.stale, counts.other, counts.lost,
        )  # fmt: skip
        share = format_share(adoption, found.groups, glyphs)
        rows.append((escape(arm.name, NAME), str(counts.eligible), share, *map(str, numbers)))
    title = "Of those, elsewhere, that the model solved with the old API before the change"
    return StudyTable(title, headings, tuple(rows)) if rows else None


def make_split_table(result: StudyResult, glyphs: StudyGlyphs) -> StudyTable | None:
    """Makes the table of what a change in passes is made of; None where nothing was split."""
    rows: list[StudyRow] = []
    for arm in result.arms:
        found = arm.final.subset("generalisation")
        rows += _list_splits(arm, found, glyphs) if found is not None else ()
    title = "What the change in passes elsewhere is made of, in percentage points"
    headings = ("arm", "from", "change", "finding names (95%)", "after that (95%)")
    return StudyTable(title, headings, tuple(rows)) if rows else None


def _list_splits(arm: ArmResult, found: SubsetResult, glyphs: StudyGlyphs) -> Iterator[StudyRow]:
    for each in found.attributions:
        if arm.kind == "none" and each.baseline == "no edit":
            continue  # against itself
        both = (format_points(part, each.groups, glyphs) for part in (each.compiling, each.post))
        change = format_percent(each.change).rstrip("%")
        sign = "+" if each.change > 0 else ""
        yield (
            escape(arm.name, NAME),
            each.baseline,
            f"{sign}{change}".replace("-", glyphs.minus),
            *both,
        )


def make_edit_table(result: StudyResult, glyphs: StudyGlyphs) -> StudyTable | None:
    """Makes the table of what edits cost and reached; None where none was made."""
    arms = [arm for arm in result.arms if arm.kind in ("editor", "control")]
    rows = tuple(_make_edit_row(arm, glyphs) for arm in arms)
    headings = ("arm", "edits", "refused", "s", "MB", "target NLL", "target met")
    return StudyTable("What the edits cost, and reached", headings, rows) if rows else None


def _make_edit_row(arm: ArmResult, glyphs: StudyGlyphs) -> StudyRow:
    before = [each.nll_before for each in arm.edits if each.nll_before is not None]
    after = [each.nll_after for each in arm.edits if each.nll_after is not None]
    met = [each.met for each in arm.edits if each.met is not None]
    nll = f"{fmean(before):.2f} {glyphs.arrow} {fmean(after):.2f}" if before and after else ""
    return (
        escape(arm.name, NAME),
        str(len(arm.edits)),
        str(arm.refused),
        f"{arm.seconds:.1f}",
        f"{arm.peak_mb:.0f}",
        nll or glyphs.none,
        f"{sum(met)}/{len(met)}" if met else glyphs.none,
    )


def make_difference_table(result: StudyResult, glyphs: StudyGlyphs) -> StudyTable | None:
    """Makes the table of each arm minus the unedited model; None where there is no such arm."""
    rows: list[StudyRow] = []
    for arm in result.arms:
        for subset, word in SUBSET_WORDS.items():
            found = arm.final.subset(subset)
            if found is None or found.against_none is None:
                continue
            each = found.against_none
            cells = (
                format_points(rate, found.groups, glyphs) if rate is not None else glyphs.none
                for rate in (each.passed, each.correct, each.stale)
            )
            rows.append((escape(arm.name, NAME), word, *cells))
    title = "Against the unedited model under the same changes, in percentage points (95%)"
    return (
        StudyTable(title, ("arm", "tasks", "passes", "new", "old"), tuple(rows)) if rows else None
    )
