"""The report for the terminal: the run, the conditions side by side, the gates one a line.

It reads at 80 columns and without colour, and falls back to ASCII where the stream cannot encode
more. Text from suites, models and data is plain rich Text, never markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from pytest_coderobust.metrics.summary import Summary
from pytest_coderobust.records import SuiteRun
from pytest_coderobust.reporting.adoption_rows import list_changes
from pytest_coderobust.reporting.comparison_rows import describe_flips
from pytest_coderobust.reporting.figures import (
    describe_bill,
    describe_plan,
    describe_refusals,
    describe_refused,
    describe_sampling,
    explain_no_rd,
)
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.terminal.console import print_lines
from pytest_coderobust.reporting.terminal.edits import render_edits
from pytest_coderobust.reporting.terminal.noise_floor import render_floor
from pytest_coderobust.reporting.terminal.quality import render_quality
from pytest_coderobust.reporting.terminal.tables import (
    Glyphs,
    choose_glyphs,
    make_adoption_table,
    make_comparison_table,
    make_conditions_table,
    make_eligible_table,
    make_stage_table,
    make_worst_tables,
)
from pytest_coderobust.results.result import DecidedRun, GateOutcome

NAMED = 10
"""Unusable or unchecked tasks named in full; the JSON document has them all."""

LINE = 300
"""Characters of one foreign text that are shown."""

OUTCOME_STYLE = {
    "holds": "green",
    "fails": "bold red",
    "not judged": "bold red",
    "inconclusive": "yellow",
    "off": "dim",
}


def render(results: Sequence[DecidedRun], width: int, colour: bool, encoding: str = "utf-8") -> str:
    """Renders every suite, as text that ends in a line end ("" of nothing).

    Args:
        width: columns of the terminal.
        colour: whether the stream shows ANSI colours.
        encoding: the stream's.
    """
    glyphs = choose_glyphs(encoding)
    parts: list[RenderableType] = []
    for index, result in enumerate(results):
        parts += [""] if index else []
        parts += render_suite(result, glyphs)
    return print_lines(parts, width, colour, encoding)


def render_suite(result: DecidedRun, glyphs: Glyphs) -> Iterator[RenderableType]:
    """Renders one suite from its header to its gates."""
    run, summary = result.run, result.summary
    yield from render_header(run, summary, glyphs)
    yield ""
    yield make_conditions_table(run, summary, glyphs)
    for table in make_worst_tables(run, summary, glyphs):
        yield ""
        yield table
    if summary.adoption:
        yield ""
        yield make_adoption_table(summary, glyphs)
    if (stages := make_stage_table(summary, glyphs)) is not None:
        yield ""
        yield stages
    if summary.eligible is not None:
        yield ""
        yield make_eligible_table(summary.eligible, glyphs)
    yield from render_edits(run, summary, glyphs)
    if summary.floor:
        yield ""
        yield from map(Text, render_floor(summary.floor))
    yield from render_quality(summary.quality, glyphs)
    if summary.comparison:
        yield ""
        yield make_comparison_table(summary.comparison, glyphs)
        yield from map(Text, describe_flips(summary.comparison))
    yield ""
    yield from render_left_out(run, summary)
    yield from map(format_gate, result.gates)


def render_header(run: SuiteRun, summary: Summary, glyphs: Glyphs) -> Iterator[Text]:
    """Renders suite, model and sampling, and a warning when the run is partial."""
    yield format_fact("suite", escape_line(run.suite))
    yield format_fact(
        "model", f"{escape_line(run.model.name)}  {escape_line(run.model.digest[:12])}"
    )
    for name, fact in run.model.facts.items():
        yield format_fact("", f"{escape_line(name)}: {escape_line(fact)}")
    yield format_fact("plan", describe_plan(run, summary, glyphs.times))
    yield format_fact("drawn", describe_sampling(run.sampling))
    if run.bill:
        yield format_fact("usage", describe_bill(run.bill))
    for index, change in enumerate(list_changes(run.api_changes)):
        yield format_fact("" if index else "api", change)
    if summary.incomplete:
        yield Text(f"PARTIAL: {escape_line(summary.incomplete)}", "bold yellow")


def format_fact(name: str, value: str) -> Text:
    """Formats one named fact; the values are aligned."""
    return Text.assemble((f"{name:<5}", "bold"), " ", value)


def render_left_out(run: SuiteRun, summary: Summary) -> Iterator[Text]:
    """Renders the notes, and every task or completion that the numbers leave out."""
    for note in run.notes:
        yield format_fact("note", escape_line(note))
    if told := explain_no_rd(run, summary):
        yield format_fact("note", told)
    if summary.skipped:
        why = ", ".join(
            f"{items} {escape_line(reason)}" for reason, items in summary.skipped[:NAMED]
        )
        yield Text(f"skipped: {why}")
    yield from map(Text, describe_counts(run, summary))
    for task, reason in summary.unusable[:NAMED]:
        yield Text(f"unusable {escape_line(task)}: {escape_line(reason)}")
    if len(summary.unusable) > NAMED:
        yield Text(f"unusable: {len(summary.unusable) - NAMED} more tasks")
    if summary.unchecked:
        yield Text(f"unchecked (no canonical solution): {name_some(summary.unchecked)}")
    if summary.in_process:
        named = name_some(summary.in_process)
        yield Text(f"judged in-process (tests that cannot be split; can be forged): {named}")


def describe_counts(run: SuiteRun, summary: Summary) -> Iterator[str]:
    """Describes the completions that are no whole answers."""
    if summary.truncated:
        yield (
            f"truncated: the token limit ended {summary.truncated} of "
            f"{summary.completions} completions"
        )
    if summary.unfinished:
        yield (
            f"unfinished thought: {summary.unfinished} of {summary.completions} completions "
            "never come to an answer"
        )
    if refused := describe_refused(summary):
        yield refused
        told, rows = describe_refusals(run)
        if told:
            yield f"  {rows}: {escape_line(told)}"
    if summary.thought_tokens:
        yield (
            f"thoughts: {summary.thought_tokens} tokens in {summary.completions} completions, "
            f"{run.sampling.max_new_tokens} at most in each with its answer"
        )


def name_some(tasks: Sequence[str]) -> str:
    """Names the first tasks, and counts the others."""
    more = f" and {len(tasks) - NAMED} more" if len(tasks) > NAMED else ""
    return ", ".join(map(escape_line, tasks[:NAMED])) + more


def format_gate(found: GateOutcome) -> Text:
    """Formats one gate: outcome, threshold, value, and the reason when there is one."""
    value = "" if found.value is None else f"  (measured {found.value:.4g})"
    reason = f": {escape_line(found.reason)}" if found.reason else ""
    return Text.assemble(
        "gate ",
        (f"{found.outcome:<10}", OUTCOME_STYLE[found.outcome]),
        f"  {escape_line(found.gate.text)}{value}{reason}",
    )


def escape_line(text: str) -> str:
    """Escapes foreign text for one line."""
    return escape(text, LINE)
