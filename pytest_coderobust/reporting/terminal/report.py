"""The person's report: what was measured, the conditions side by side, the gates one a line.

It reads at 80 columns and without colour, and falls back to ASCII where the stream cannot encode
more. Text from suites, models and data is plain rich Text, never markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from pytest_coderobust.metrics.summary import Summary
from pytest_coderobust.records import SuiteRun
from pytest_coderobust.reporting.adoption_rows import change_lines
from pytest_coderobust.reporting.comparison_rows import flip_lines
from pytest_coderobust.reporting.figures import plan_line, sampling_line
from pytest_coderobust.reporting.hostile import visible
from pytest_coderobust.reporting.terminal.console import print_lines
from pytest_coderobust.reporting.terminal.edits import edit_parts
from pytest_coderobust.reporting.terminal.noise_floor import floor_lines
from pytest_coderobust.reporting.terminal.tables import (
    Glyphs,
    adoption_table,
    comparison_table,
    conditions_table,
    glyphs_for,
    worst_tables,
)
from pytest_coderobust.results.result import GateOutcome, SuiteResult

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


def render(
    results: Sequence[SuiteResult], width: int, colour: bool, encoding: str = "utf-8"
) -> str:
    """The report of every suite, as text that ends in a line end ("" of nothing).

    Args:
        width: columns of the terminal.
        colour: whether the stream shows ANSI colours.
        encoding: what the stream writes.
    """
    glyphs = glyphs_for(encoding)
    parts: list[RenderableType] = []
    for index, result in enumerate(results):
        parts += [""] if index else []
        parts += suite_parts(result, glyphs)
    return print_lines(parts, width, colour, encoding)


def suite_parts(result: SuiteResult, glyphs: Glyphs) -> Iterator[RenderableType]:
    """One suite from its header to its gates."""
    run, summary = result.run, result.summary
    yield from header(run, summary, glyphs)
    yield ""
    yield conditions_table(run, summary, glyphs)
    for table in worst_tables(run, summary, glyphs):
        yield ""
        yield table
    if summary.adoption:
        yield ""
        yield adoption_table(summary, glyphs)
    yield from edit_parts(run, summary, glyphs)
    if summary.floor:
        yield ""
        yield from map(Text, floor_lines(summary.floor))
    if summary.comparison:
        yield ""
        yield comparison_table(summary.comparison, glyphs)
        yield from map(Text, flip_lines(summary.comparison))
    yield ""
    yield from left_out(run, summary)
    yield from map(gate_line, result.gates)


def header(run: SuiteRun, summary: Summary, glyphs: Glyphs) -> Iterator[Text]:
    """Which suite, model and sampling; loud when the run is partial."""
    yield line("suite", shown(run.suite))
    yield line("model", f"{shown(run.model.name)}  {shown(run.model.digest[:12])}")
    for name, fact in run.model.facts.items():
        yield line("", f"{shown(name)}: {shown(fact)}")
    yield line("plan", plan_line(run, summary, glyphs.times))
    yield line("drawn", sampling_line(run.sampling))
    for index, change in enumerate(change_lines(run.api_changes)):
        yield line("" if index else "api", change)
    if summary.incomplete:
        yield Text(f"PARTIAL: {shown(summary.incomplete)}", "bold yellow")


def line(name: str, value: str) -> Text:
    """One named fact, the values aligned."""
    return Text.assemble((f"{name:<5}", "bold"), " ", value)


def left_out(run: SuiteRun, summary: Summary) -> Iterator[Text]:
    """The notes, and every task or completion a reader might miss in the numbers."""
    for note in run.notes:
        yield line("note", shown(note))
    if summary.skipped:
        why = ", ".join(f"{items} {shown(reason)}" for reason, items in summary.skipped[:NAMED])
        yield Text(f"skipped: {why}")
    if summary.truncated:
        yield Text(
            f"truncated: the token limit ended {summary.truncated} of "
            f"{summary.completions} completions"
        )
    for task, reason in summary.unusable[:NAMED]:
        yield Text(f"unusable {shown(task)}: {shown(reason)}")
    if len(summary.unusable) > NAMED:
        yield Text(f"unusable: {len(summary.unusable) - NAMED} more tasks")
    if summary.unchecked:
        yield Text(f"unchecked (no canonical solution): {some(summary.unchecked)}")
    if summary.in_process:
        named = some(summary.in_process)
        yield Text(f"judged in-process (tests that cannot be split; can be forged): {named}")


def some(tasks: Sequence[str]) -> str:
    """Tasks by name, as many as a reader wants."""
    more = f" and {len(tasks) - NAMED} more" if len(tasks) > NAMED else ""
    return ", ".join(map(shown, tasks[:NAMED])) + more


def gate_line(found: GateOutcome) -> Text:
    """One gate: outcome, threshold, value, and the reason when there is one."""
    value = "" if found.value is None else f"  (measured {found.value:.4g})"
    reason = f": {shown(found.reason)}" if found.reason else ""
    return Text.assemble(
        "gate ",
        (f"{found.outcome:<10}", OUTCOME_STYLE[found.outcome]),
        f"  {shown(found.gate.text)}{value}{reason}",
    )


def shown(text: str) -> str:
    """Foreign text on one line."""
    return visible(text, LINE)
