"""The terminal's tables: conditions side by side, with the glyphs that the stream can encode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD, Box
from rich.table import Table
from rich.text import Text

from pytest_coderobust.metrics.comparison import RunComparison
from pytest_coderobust.metrics.condition import ConditionSummary, Scores
from pytest_coderobust.metrics.eligible import EligibleCounts
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.metrics.summary import Summary
from pytest_coderobust.records import SuiteRun
from pytest_coderobust.reporting.adoption_rows import (
    ELIGIBLE_HEADINGS,
    HEADINGS,
    STAGE_HEADINGS,
    make_adoption_row,
    make_eligible_row,
    make_stage_row,
)
from pytest_coderobust.reporting.comparison_rows import HEADINGS as COMPARED
from pytest_coderobust.reporting.comparison_rows import make_change_row
from pytest_coderobust.reporting.figures import format_estimate, pick_conditions
from pytest_coderobust.reporting.hostile import escape

NAME = 40
"""Characters of a condition's name that are shown."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The few characters beyond letters that tables use."""

    none: str
    dash: str
    times: str
    box: Box


UNICODE = Glyphs(none="\u2013", dash="\u2013", times="\u00d7", box=SIMPLE_HEAD)
PLAIN = Glyphs("-", "-", "x", Box(str(SIMPLE_HEAD).replace("\u2500", "-"), ascii=True))


def choose_glyphs(encoding: str) -> Glyphs:
    """Chooses the Unicode glyphs where the encoding has them, else ASCII."""
    try:
        f"{UNICODE.none}{UNICODE.dash}{UNICODE.times}{UNICODE.box}".encode(encoding)
    except UnicodeEncodeError:
        return PLAIN
    return UNICODE


def make_conditions_table(run: SuiteRun, summary: Summary, glyphs: Glyphs) -> Table:
    """Makes the table of conditions at the smallest k: pass@k and RD with their intervals."""
    k = min(run.ks)
    table = make_table(glyphs, "condition", "tasks", f"pass@{k} (95%)", "RD (95%)", "skipped")
    for condition in pick_conditions(summary):
        scores = condition.scores[k]
        clean = condition.kind == "clean"
        table.add_row(
            format_label(condition),
            str(condition.tasks),
            format_interval(scores.pass_at_k, glyphs),
            "" if clean else format_interval(scores.rd, glyphs),
            "" if clean and not condition.skipped else str(condition.skipped),
        )
    return table


def make_adoption_table(summary: Summary, glyphs: Glyphs) -> Table:
    """Makes the table of completions by condition and adoption."""
    table = make_table(glyphs, *HEADINGS)
    for counts in summary.adoption:
        table.add_row(Text(escape(counts.condition, NAME), "bold"), *make_adoption_row(counts))
    return table


def make_stage_table(summary: Summary, glyphs: Glyphs) -> Table | None:
    """Makes the table of completions by condition and last stage; None where none are known."""
    rows = [each for each in summary.adoption if each.stages is not None]
    if not rows:
        return None
    table = make_table(glyphs, *STAGE_HEADINGS)
    for counts in rows:
        assert counts.stages is not None
        table.add_row(Text(escape(counts.condition, NAME), "bold"), *make_stage_row(counts.stages))
    return table


def make_eligible_table(found: EligibleCounts, glyphs: Glyphs) -> Table:
    """Makes the table of the tasks where the old API was used and passed before the changes."""
    table = make_table(glyphs, *ELIGIBLE_HEADINGS)
    table.add_row(Text("clean", "bold"), *make_eligible_row(found))
    return table


def make_comparison_table(comparison: RunComparison, glyphs: Glyphs) -> Table:
    """Makes the table of every rate before and now."""
    table = make_table(glyphs, "against the baseline", *COMPARED)
    for change in comparison.changes:
        table.add_row(*make_change_row(change, glyphs.none, glyphs.dash))
    return table


def make_worst_tables(run: SuiteRun, summary: Summary, glyphs: Glyphs) -> Iterator[Table]:
    """Makes a table of ReCode's three for each k: beside statuses first, then pass@k and RD."""
    for k in run.ks:
        first = k == min(run.ks)
        extra = ("robust", "broken", "unsolved") if first else (f"pass@{k} (95%)", "RD")
        headings = ("condition", "s", *extra, f"robust pass@{k}", "drop", "relative")
        table = make_table(glyphs, *headings)
        for condition in pick_conditions(summary):
            clean = condition.kind == "clean"
            table.add_row(
                format_label(condition),
                "" if clean else str(condition.variants),
                *(
                    format_statuses(condition)
                    if first
                    else format_rates(condition.scores[k], clean, glyphs)
                ),
                *format_worst(condition.scores[k], clean, glyphs),
            )
        yield table


def format_statuses(condition: ConditionSummary) -> tuple[str, str, str]:
    """Formats robust, broken, unsolved; the clean prompts have the last alone."""
    if condition.kind == "clean":
        return "", "", str(condition.unsolved)
    return str(condition.robust), str(condition.broken), str(condition.unsolved)


def format_rates(scores: Scores, clean: bool, glyphs: Glyphs) -> tuple[str, str]:
    return format_interval(scores.pass_at_k, glyphs), "" if clean else format_value(
        scores.rd, glyphs
    )


def format_worst(scores: Scores, clean: bool, glyphs: Glyphs) -> tuple[str, str, str]:
    if clean:
        return "", "", ""
    return (
        format_interval(scores.robust_pass, glyphs),
        format_value(scores.robust_drop, glyphs),
        format_value(scores.robust_relative, glyphs),
    )


def make_table(glyphs: Glyphs, first: str, *headings: str) -> Table:
    """Makes a table whose first column is text and whose others are numbers."""
    table = Table(box=glyphs.box, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def format_label(condition: ConditionSummary) -> Text:
    """Formats a condition's name; a pool is indented."""
    indent = " " if condition.kind in ("level", "training", "all") else ""
    return Text(indent + escape(condition.name, NAME), "bold")


def format_interval(found: Estimate | None, glyphs: Glyphs) -> str:
    """Formats an estimate: 0.212 (0.16-0.28)."""
    return format_estimate(found, glyphs.none, glyphs.dash)


def format_value(found: Estimate | None, glyphs: Glyphs) -> str:
    """Formats three decimals, or the sign for undefined."""
    return glyphs.none if found is None else f"{found.value:.3f}"
