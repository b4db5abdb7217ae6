"""The report for a pull request: GitHub Flavored Markdown within the limit of a step summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from pytest_coderobust.metrics.condition import ConditionSummary
from pytest_coderobust.records import Status
from pytest_coderobust.reporting.comparison_rows import HEADINGS, change_row, flip_lines
from pytest_coderobust.reporting.edit_rows import RESTORED, compared_headings, edit_tables
from pytest_coderobust.reporting.figures import (
    DASH,
    NONE,
    distinct,
    estimate,
    gate_reason,
    plan_line,
    sampling_line,
)
from pytest_coderobust.reporting.markdown.gfm import code, fenced, table
from pytest_coderobust.reporting.prompt_diff import diff_prompts
from pytest_coderobust.results.conclusion import SuiteReport
from pytest_coderobust.results.evidence import Finding

LIMIT = 1 << 20
"""Bytes that GitHub keeps of one step's summary."""

TOLD = 25
"""Broken prompts of one suite that are told with their evidence."""

ROWS = 200
"""Rows of a table; the JSON document has them all."""

TEXT = 4000
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
    """The report of every suite, in at most `limit` bytes of UTF-8 ("" of nothing).

    It is cut between blocks, never inside a table or a fence.
    """
    text: list[str] = []
    left = limit - len(CUT.encode())
    for piece in (piece for report in reports for piece in suite_blocks(report)):
        found = f"{piece}\n\n"
        size = len(found.encode())
        if size > left:
            return "".join([*text, CUT]) if left >= 0 else ""
        text.append(found)
        left -= size
    return "".join(text)


def suite_blocks(report: SuiteReport) -> Iterator[str]:
    """One suite, a block at a time, the most important first."""
    run, summary = report.run, report.summary
    yield f"## Robustness: {code(run.suite)}"
    facts = f"Model {code(run.model.name)}, fingerprint {code(run.model.digest[:12])}"
    yield f"{facts}; {plan_line(run, summary)}; {sampling_line(run.sampling)}."
    if summary.incomplete:
        yield f"> **PARTIAL**: {code(summary.incomplete)}"
    if report.gates:
        rows = [
            (MARKS[o.outcome], code(o.gate.text), code(gate_reason(o)) if gate_reason(o) else "")
            for o in report.gates[:ROWS]
        ]
        yield table(("outcome", "gate", "value, reason"), rows, left=3)
    told = distinct(summary)
    for k in run.ks:
        yield conditions(told[:ROWS], k, first=k == min(run.ks))
    if len(told) > ROWS:
        yield f"{len(told) - ROWS} more conditions are in the JSON report."
    yield from since(report)
    yield from edited(report)
    yield from left_out(report)
    yield from broken(report)


def conditions(told: Sequence[ConditionSummary], k: int, *, first: bool) -> str:
    """The conditions at one k; counts of statuses stand beside the smallest."""
    counts = ("robust", "broken", "unsolved", "skipped") if first else ()
    worst = (f"robust pass@{k}", "drop", "relative")
    rows: list[list[str]] = []
    for condition in told:
        scores = condition.scores[k]
        clean = condition.kind == "clean"
        row = [code(condition.name, 40), str(condition.tasks), estimate(scores.pass_at_k)]
        row += [
            "" if clean else estimate(scores.rd),
            "" if clean else estimate(scores.robust_pass),
            "" if clean else estimate(scores.robust_drop),
            "" if clean else estimate(scores.robust_relative),
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
    return table(("condition", "tasks", f"pass@{k} (95%)", "RD", *worst, *counts), rows)


def since(report: SuiteReport) -> Iterator[str]:
    """What became of the suite since its baseline, or an earlier run."""
    comparison = report.summary.comparison
    if comparison is None:
        return
    yield f"### Compared with before: {comparison.verdict} at a margin of {comparison.margin:g}"
    rows = [change_row(change, NONE, DASH) for change in comparison.changes[:ROWS]]
    yield table(("rate", *HEADINGS), [(code(row[0]), *row[1:]) for row in rows])
    yield "\n".join(f"- {code(line)}" for line in flip_lines(comparison))


def edited(report: SuiteReport) -> Iterator[str]:
    """Base beside edited model, and what the edits restored beside their controls."""
    found = edit_tables(report.run, report.summary)
    if found is None:
        return
    yield f"### Edit: {code(found.heading[0])}"
    yield code(" ".join(found.heading[1:]))
    rows = [(code(row[0]), *row[1:]) for row in found.compared[:ROWS]]
    yield table(compared_headings(report.run), rows)
    if found.restored:
        yield table(RESTORED, [(code(row[0]), *row[1:]) for row in found.restored[:ROWS]])
    if found.layers:
        yield table(("written", "edits"), [(name, str(count)) for name, count, _ in found.layers])
    yield "\n".join(f"- {code(line)}" for line in found.remarks[:ROWS])


def left_out(report: SuiteReport) -> Iterator[str]:
    """Notes, and what a reader might miss in the numbers."""
    run, summary = report.run, report.summary
    lines = [f"- note: {code(note)}" for note in run.notes[:ROWS]]
    lines += [f"- skipped: {items} {code(reason)}" for reason, items in summary.skipped[:ROWS]]
    if summary.truncated:
        lines.append(
            f"- the token limit ended {summary.truncated} of {summary.completions} completions"
        )
    lines += [f"- unusable: {code(task)}: {code(why)}" for task, why in summary.unusable[:10]]
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


def broken(report: SuiteReport) -> Iterator[str]:
    """The first broken prompts with their evidence, folded."""
    found = [o for o in report.run.observations if o.status is Status.BROKEN]
    if not found:
        return
    shown = min(TOLD, len(found))
    yield f"### Broken prompts: {len(found)}" + ("" if shown == len(found) else f", {shown} told")
    for finding in report.archive.findings(islice(found, TOLD)):
        yield folded(finding)


def folded(finding: Finding) -> str:
    """One broken prompt: what changed, what the model wrote, which test failed."""
    observation = finding.observation
    sample = finding.failing
    names = ("clean prompt", observation.cell.label)
    diff = diff_prompts(finding.clean_prompt, finding.prompt, names)
    where = f"{code(observation.task_id)} under {code(observation.cell.label)}"
    parts = [
        f"<details><summary>{where}: {observation.c} of {observation.n} pass</summary>",
        fenced("\n".join(diff), "diff", TEXT),
    ]
    if sample is not None:
        verdict = sample.verdict
        detail = code(verdict.detail) if verdict.detail else NONE
        parts += [
            fenced(sample.completion.text, "python", TEXT),
            f"{verdict.failure}, {verdict.passed} of {verdict.total} tests pass: {detail}",
        ]
    return "\n\n".join([*parts, "</details>"])
