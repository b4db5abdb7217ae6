"""The report for a pull request: GitHub Flavored Markdown within the limit of a step summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from pytest_coderobust.metrics.condition import ConditionSummary
from pytest_coderobust.records import IDENTITY, Status
from pytest_coderobust.reporting.comparison_rows import HEADINGS, describe_flips, make_change_row
from pytest_coderobust.reporting.edit_rows import RESTORED, make_edit_tables, name_compared
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
from pytest_coderobust.reporting.markdown.gfm import format_code, format_table, make_fence
from pytest_coderobust.reporting.markdown.quality import render_quality_blocks
from pytest_coderobust.reporting.prompt_diff import diff_prompts
from pytest_coderobust.results.conclusion import SuiteReport
from pytest_coderobust.results.evidence import Finding

LIMIT = 1 << 20
"""Bytes that GitHub keeps of one step's summary."""

TOLD = 25
"""Broken prompts of one suite that are shown with their evidence."""

ROWS = 200
"""Rows of a table; the JSON document has them all."""

TEXT = 4000
LEFT_OUT = "Left out of the solution that was judged:"
"""Characters shown of one diff or completion."""

MARKS = {
    "holds": "\u2705 holds",
    "fails": "\u274c fails",
    "not judged": "\u274c not judged",
    "inconclusive": "\u26a0\ufe0f inconclusive",
    "off": "\u26aa off",
}
CUT = "*Cut here: the rest does not fit; the JSON and HTML reports have it.*\n"


def render(reports: Sequence[SuiteReport], limit: int = LIMIT) -> str:
    """Renders every suite, in at most `limit` bytes of UTF-8 ("" of nothing).

    It is cut between blocks, never inside a table or a fence.
    """
    text: list[str] = []
    left = limit - len(CUT.encode())
    for piece in (piece for report in reports for piece in render_suite(report)):
        found = f"{piece}\n\n"
        size = len(found.encode())
        if size > left:
            return "".join([*text, CUT]) if left >= 0 else ""
        text.append(found)
        left -= size
    return "".join(text)


def render_suite(report: SuiteReport) -> Iterator[str]:
    """Renders one suite, a block at a time, the most important first."""
    run, summary = report.run, report.summary
    yield f"## Robustness: {format_code(run.suite)}"
    facts = f"Model {format_code(run.model.name)}, fingerprint {format_code(run.model.digest[:12])}"
    if known := run.model.facts.get(IDENTITY):
        facts += f", identity {format_code(known)}"
    yield f"{facts}; {describe_plan(run, summary)}; {describe_sampling(run.sampling)}."
    if run.bill:
        yield f"Usage: {describe_bill(run.bill)}."
    if summary.incomplete:
        yield f"> **PARTIAL**: {format_code(summary.incomplete)}"
    if report.gates:
        rows = [
            (
                MARKS[o.outcome],
                format_code(o.gate.text),
                format_code(explain_gate(o)) if explain_gate(o) else "",
            )
            for o in report.gates[:ROWS]
        ]
        yield format_table(("outcome", "gate", "value, reason"), rows, left=3)
    conditions = pick_conditions(summary)
    for k in run.ks:
        yield render_conditions(conditions[:ROWS], k, first=k == min(run.ks))
    if len(conditions) > ROWS:
        yield f"{len(conditions) - ROWS} more conditions are in the JSON report."
    yield from render_comparison(report)
    yield from render_edits(report)
    yield from render_quality_blocks(report.summary.quality, ROWS)
    yield from render_left_out(report)
    yield from render_broken(report)


def render_conditions(conditions: Sequence[ConditionSummary], k: int, *, first: bool) -> str:
    """Renders the conditions at one k; the table of the smallest k has counts of statuses."""
    counts = ("robust", "broken", "unsolved", "skipped") if first else ()
    worst = (f"robust pass@{k}", "drop", "relative")
    rows: list[list[str]] = []
    for condition in conditions:
        scores = condition.scores[k]
        clean = condition.kind == "clean"
        row = [
            format_code(condition.name, 40),
            str(condition.tasks),
            format_estimate(scores.pass_at_k),
        ]
        row += [
            "" if clean else format_estimate(scores.rd),
            "" if clean else format_estimate(scores.robust_pass),
            "" if clean else format_estimate(scores.robust_drop),
            "" if clean else format_estimate(scores.robust_relative),
        ]
        row += (
            [
                "" if clean else str(condition.robust),
                "" if clean else str(condition.broken),
                str(condition.unsolved),
                str(condition.skipped),
            ]
            if first
            else []
        )
        rows.append(row)
    return format_table(("condition", "tasks", f"pass@{k} (95%)", "RD", *worst, *counts), rows)


def render_comparison(report: SuiteReport) -> Iterator[str]:
    """Renders the comparison with the baseline or an earlier run."""
    comparison = report.summary.comparison
    if comparison is None:
        return
    yield f"### Compared with before: {comparison.verdict} at a margin of {comparison.margin:g}"
    rows = [make_change_row(change, NONE, DASH) for change in comparison.changes[:ROWS]]
    yield format_table(("rate", *HEADINGS), [(format_code(row[0]), *row[1:]) for row in rows])
    yield "\n".join(f"- {format_code(line)}" for line in describe_flips(comparison))


def render_edits(report: SuiteReport) -> Iterator[str]:
    """Renders base beside edited model, and the restoration beside its controls."""
    found = make_edit_tables(report.run, report.summary)
    if found is None:
        return
    yield f"### Edit: {format_code(found.heading[0])}"
    yield format_code(" ".join(found.heading[1:]))
    rows = [(format_code(row[0]), *row[1:]) for row in found.compared[:ROWS]]
    yield format_table(name_compared(report.run), rows)
    if found.restored:
        yield format_table(
            RESTORED, [(format_code(row[0]), *row[1:]) for row in found.restored[:ROWS]]
        )
    if found.layers:
        yield format_table(
            ("written", "edits"), [(name, str(count)) for name, count, _ in found.layers]
        )
    yield "\n".join(f"- {format_code(line)}" for line in found.remarks[:ROWS])


def render_left_out(report: SuiteReport) -> Iterator[str]:
    """Renders the notes, and everything that the numbers leave out."""
    run, summary = report.run, report.summary
    lines = [f"- note: {format_code(note)}" for note in run.notes[:ROWS]]
    if told := explain_no_rd(run, summary):
        lines.append(f"- note: {told}")
    lines += [
        f"- skipped: {items} {format_code(reason)}" for reason, items in summary.skipped[:ROWS]
    ]
    if summary.truncated:
        lines.append(
            f"- the token limit ended {summary.truncated} of {summary.completions} completions"
        )
    if summary.unfinished:
        lines.append(
            f"- unfinished thought: {summary.unfinished} of {summary.completions} completions"
        )
    if refused := describe_refused(summary):
        lines.append(f"- {refused}")
        told, rows = describe_refusals(run)
        lines += [f"  - {rows}: {format_code(told)}"] if told else []
    if summary.thought_tokens:
        lines.append(
            f"- thoughts: {summary.thought_tokens} tokens in {summary.completions} completions"
        )
    lines += [
        f"- unusable: {format_code(task)}: {format_code(why)}"
        for task, why in summary.unusable[:10]
    ]
    if len(summary.unusable) > 10:
        lines.append(f"- unusable: {len(summary.unusable) - 10} more tasks")
    if summary.unchecked:
        lines.append(f"- unchecked (no canonical solution): {len(summary.unchecked)} tasks")
    if summary.in_process:
        lines.append(
            f"- judged in-process (tests that cannot be split; can be forged): "
            f"{len(summary.in_process)} tasks"
        )
    if lines:
        yield "\n".join(lines)


def render_broken(report: SuiteReport) -> Iterator[str]:
    """Renders the first broken prompts with their evidence, folded."""
    found = [o for o in report.run.observations if o.status is Status.BROKEN]
    if not found:
        return
    shown = min(TOLD, len(found))
    yield f"### Broken prompts: {len(found)}" + ("" if shown == len(found) else f", {shown} told")
    for finding in report.archive.findings(islice(found, TOLD)):
        yield render_finding(finding)


def render_finding(finding: Finding) -> str:
    """Renders one broken prompt: its change, the completion, the failing test."""
    observation = finding.observation
    sample = finding.failing
    names = ("clean prompt", observation.cell.label)
    diff = diff_prompts(finding.clean_prompt, finding.prompt, names)
    where = f"{format_code(observation.task_id)} under {format_code(observation.cell.label)}"
    parts = [
        f"<details><summary>{where}: {observation.c} of {observation.n} pass</summary>",
        make_fence("\n".join(diff), "diff", TEXT),
    ]
    if sample is not None:
        verdict = sample.verdict
        detail = format_code(verdict.detail) if verdict.detail else NONE
        parts += [
            make_fence(sample.completion.text, "python", TEXT),
            *([LEFT_OUT, make_fence(sample.left_out, "python", TEXT)] if sample.left_out else []),
            f"{verdict.failure}, {verdict.passed} of {verdict.total} tests pass: {detail}",
        ]
    return "\n\n".join([*parts, "</details>"])
