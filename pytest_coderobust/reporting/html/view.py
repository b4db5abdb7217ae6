"""The view of a suite for the page's template: text and a few coordinates, no decisions."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_coderobust.metrics.condition import ConditionSummary
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.reporting.adoption_rows import (
    make_adoption_row,
    make_eligible_row,
    make_stage_row,
)
from pytest_coderobust.reporting.comparison_rows import HEADINGS, describe_flips, make_change_row
from pytest_coderobust.reporting.edit_rows import EditTables, make_edit_tables, name_compared
from pytest_coderobust.reporting.figures import (
    DASH,
    NONE,
    describe_bill,
    describe_plan,
    describe_refusals,
    describe_refused,
    describe_sampling,
    explain_gate,
    explain_no_rd,
    format_estimate,
    pick_conditions,
)
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.html.changes import make_change_charts
from pytest_coderobust.reporting.html.headline import Headline, make_headline
from pytest_coderobust.reporting.html.heat import Tile, make_heat_map
from pytest_coderobust.reporting.html.pairs import PairPicture, make_pair_picture
from pytest_coderobust.reporting.html.panels import Chart
from pytest_coderobust.reporting.layer_rows import LayerTable, make_layer_tables
from pytest_coderobust.reporting.quality_rows import QualityTables, make_quality_tables
from pytest_coderobust.results.conclusion import SuiteReport
from pytest_coderobust.results.result import GateOutcome

LINE = 300
ROWS = 400


@dataclass(frozen=True, slots=True)
class PictureBar:
    """An estimate and its interval, as coordinates in a drawing of 100 units."""

    text: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PageRow:
    """One condition: its name, one bar for each k, the cells of the table."""

    name: str
    bars: tuple[PictureBar | None, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SuiteView:
    """One suite as text."""

    name: str
    headline: Headline
    pairs: PairPicture | None
    charts: tuple[Chart, ...]
    facts: tuple[tuple[str, str], ...]
    incomplete: str
    gates: tuple[tuple[str, str, str], ...]
    ks: tuple[int, ...]
    headings: tuple[str, ...]
    rows: tuple[PageRow, ...]
    heat: tuple[tuple[str, tuple[Tile, ...]], ...]
    adoption: tuple[tuple[str, ...], ...]
    stages: tuple[tuple[str, ...], ...]
    eligible: tuple[str, ...]
    compared: tuple[str, tuple[tuple[str, ...], ...], tuple[str, ...]] | None
    edits: EditTables | None
    edit_headings: tuple[str, ...]
    layers: tuple[LayerTable, ...]
    left_out: tuple[str, ...]
    quality: QualityTables | None


def make_view(report: SuiteReport) -> SuiteView:
    run, summary = report.run, report.summary
    shown = pick_conditions(summary)[:ROWS]
    pairs = report.pair_clean()
    headings = ("condition", "tasks", *(f"pass@{k} (95 %)" for k in run.ks), "RD", "robust pass")
    return SuiteView(
        name=escape(run.suite, LINE),
        headline=make_headline(report, pairs),
        pairs=make_pair_picture(report, pairs),
        charts=make_change_charts(summary.comparison),
        facts=list_facts(report),
        incomplete=escape(summary.incomplete, LINE),
        gates=tuple(map(make_gate_row, report.gates)),
        ks=run.ks,
        headings=(*headings, "robust", "broken", "unsolved", "skipped"),
        rows=tuple(make_row(condition, run.ks) for condition in shown),
        heat=make_heat_map(report),
        adoption=tuple(
            (escape(counts.condition, LINE), *make_adoption_row(counts))
            for counts in summary.adoption
        ),
        stages=tuple(
            (escape(counts.condition, LINE), *make_stage_row(counts.stages))
            for counts in summary.adoption
            if counts.stages is not None
        ),
        eligible=make_eligible_row(summary.eligible) if summary.eligible else (),
        compared=describe_comparison(report),
        edits=make_edit_tables(run, summary),
        edit_headings=name_compared(run),
        layers=make_layer_tables(summary.edits.sweeps if summary.edits else ()),
        left_out=list_left_out(report),
        quality=make_quality_tables(summary.quality) if summary.quality else None,
    )


def list_facts(report: SuiteReport) -> tuple[tuple[str, str], ...]:
    """Lists model, plan, sampling and environment."""
    run, summary = report.run, report.summary
    named = [
        ("model", run.model.name),
        ("fingerprint", run.model.digest),
        *run.model.facts.items(),
        ("plan", describe_plan(run, summary)),
        ("drawn", describe_sampling(run.sampling)),
        *([("usage", describe_bill(run.bill))] if run.bill else []),
        *report.origin.environment.items(),
    ]
    return tuple((escape(name, LINE), escape(value, LINE)) for name, value in named)


def make_gate_row(found: GateOutcome) -> tuple[str, str, str]:
    """Makes a row: outcome, the gate as written, value and reason."""
    return found.outcome, escape(found.gate.text, LINE), escape(explain_gate(found), LINE)


def make_row(condition: ConditionSummary, ks: tuple[int, ...]) -> PageRow:
    clean = condition.kind == "clean"
    first = condition.scores[min(ks)]
    cells = (
        "" if clean else format_estimate(first.rd),
        "" if clean else format_estimate(first.robust_pass),
        "" if clean else str(condition.robust),
        "" if clean else str(condition.broken),
        str(condition.unsolved),
        str(condition.skipped),
    )
    bars = tuple(draw_bar(condition.scores[k].pass_at_k) for k in ks)
    return PageRow(escape(condition.name, LINE), bars, (str(condition.tasks), *cells))


def draw_bar(found: Estimate | None) -> PictureBar | None:
    """Draws an estimate of a share, in hundredths."""
    if found is None:
        return None
    parts = (round(100 * part, 2) for part in (found.value, found.low, found.high))
    return PictureBar(format_estimate(found), *parts)


def describe_comparison(
    report: SuiteReport,
) -> tuple[str, tuple[tuple[str, ...], ...], tuple[str, ...]] | None:
    """Describes the comparison: verdict, table, items that changed sides; None without one."""
    found = report.summary.comparison
    if found is None:
        return None
    verdict = f"{found.verdict} at a margin of {found.margin:g}"
    rows = (("rate", *HEADINGS), *(make_change_row(change, NONE, DASH) for change in found.changes))
    return verdict, rows[: ROWS + 1], tuple(describe_flips(found))


def list_left_out(report: SuiteReport) -> tuple[str, ...]:
    """Lists the notes, and everything that the numbers leave out."""
    run, summary = report.run, report.summary
    lines = [*run.notes, *filter(None, [explain_no_rd(run, summary)])]
    lines += [f"skipped: {items} {reason}" for reason, items in summary.skipped]
    if summary.truncated:
        lines.append(
            f"the token limit ended {summary.truncated} of {summary.completions} completions"
        )
    if summary.unfinished:
        lines.append(
            f"unfinished thought: {summary.unfinished} of {summary.completions} completions"
        )
    if refused := describe_refused(summary):
        lines.append(refused)
        told, rows = describe_refusals(report.run)
        lines += [f"{rows}: {told}"] if told else []
    if summary.thought_tokens:
        lines.append(
            f"thoughts: {summary.thought_tokens} tokens in {summary.completions} completions"
        )
    lines += [f"unusable {task}: {reason}" for task, reason in summary.unusable]
    if summary.unchecked:
        lines.append(f"unchecked (no canonical solution): {len(summary.unchecked)} tasks")
    return tuple(escape(line, LINE) for line in lines[:ROWS])
