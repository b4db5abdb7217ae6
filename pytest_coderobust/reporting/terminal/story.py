"""One item's story: both prompts, what changed, both answers, the failing assert, the command.

It is plain text as wide as the terminal. A line that is too wide goes on in the next, behind ">".
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, chop_cells

from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.prompt_diff import diff_prompts
from pytest_coderobust.reporting.reproduction import has_file, list_words, spell_call
from pytest_coderobust.reporting.shell_words import quote_word
from pytest_coderobust.results.conclusion import SuiteReport
from pytest_coderobust.results.evidence import Finding, JudgedCompletion
from pytest_coderobust.results.item_search import FoundItem

LINE = 2000
"""Characters of one foreign line that are shown."""

OTHERS = 6
"""Other conditions of the task that are named."""


def render_story(found: FoundItem, finding: Finding, report: SuiteReport, width: int) -> str:
    """Renders the story of an item.

    Args:
        width: columns that no line goes beyond, but for a word of the command.
    """
    parts = [
        *_show_head(found, report),
        *_show_prompts(finding),
        *_show_answers(finding),
    ]
    lines = [piece for line in parts for piece in wrap_line(line, width)]
    return "\n".join([*lines, "", "run it again", *_show_command(found, report, width)]) + "\n"


def wrap_command(words: Sequence[str], width: int) -> list[str]:
    """Wraps a command so that it can be pasted: each line but the last ends in a backslash."""
    lines: list[str] = []
    current = "   "
    for word in map(quote_word, words):
        if current.strip() and cell_len(f"{current} {word} \\") > width:
            lines.append(f"{current} \\")
            current = "       "
        current = f"{current} {word}"
    return [*lines, current]


def _show_command(found: FoundItem, report: SuiteReport, width: int) -> list[str]:
    """Shows the command; the call where a data set was named without a suite file."""
    if has_file(report):
        return wrap_command(list_words(found.observation, report), width)
    called = spell_call(found.observation.cell, report)
    return [f"    in Python: {called}"]  # cut into lines it could not be pasted


def wrap_line(line: str, width: int) -> list[str]:
    """Cuts a line into pieces of a width; pieces after the first stand behind ">"."""
    if cell_len(line) <= width:
        return [line]
    indent = len(line) - len(line.lstrip(" "))
    margin = f"{' ' * min(indent, 2)}> "
    first, *_ = chop_cells(line, width)
    rest = chop_cells(line[len(first) :], width - len(margin))
    return [first, *(margin + piece for piece in rest)]


def _show_head(found: FoundItem, report: SuiteReport) -> Iterator[str]:
    """Shows the item's outcome, and which run it was taken from."""
    seen, run = found.observation, report.run
    label = seen.cell.label
    yield f"{escape(seen.task_id, LINE)}[{escape(label, LINE)}]: {seen.status.value}"
    counts = [("clean", seen.clean_c, seen.clean_n), (label, seen.c, seen.n)]
    shown = counts[1:] if seen.cell.is_clean else counts
    if seen.measured:
        told = ", ".join(f"{escape(name, LINE)} {c} of {n}" for name, c, n in shown)
        yield f"passing  {told}"
    if seen.reason:
        yield f"reason   {escape(seen.reason, LINE)}"
    yield f"suite    {escape(run.suite, LINE)} ({escape(report.origin.reference, LINE)})"
    yield f"model    {escape(run.model.name, LINE)}  {escape(run.model.digest[:12])}"
    yield from _show_edits(found)
    yield from _show_choice(found)


def _show_edits(found: FoundItem) -> Iterator[str]:
    """Shows the edits of the model, and the item before them."""
    editing, seen = found.run.editing, found.observation
    if editing is None:
        return
    yield f"edited   {escape(', '.join(editing.editors), LINE)}"
    square = (seen.task_id, seen.cell)
    before = next((o for o in found.run.base if (o.task_id, o.cell) == square), None)
    if before is not None:
        yield f"         before the edit: {before.status.value}, {before.c} of {before.n} pass"


def _show_choice(found: FoundItem) -> Iterator[str]:
    """Shows which run and condition were taken, and how others are named."""
    taken = found.stored
    if len(found.runs) > 1:
        yield f"run      {taken.digest[:12]}, the latest of {len(found.runs)} that have this item;"
        yield "         name another with --run:"
        for other in found.runs[-2::-1][:OTHERS]:
            words = escape(shlex.join(other.body["origin"]["arguments"]), LINE)
            yield f"           {other.digest[:12]}  {escape(other.suite, 40)}  {words}"
    if found.others:
        named = [f"{escape(o.cell.label, LINE)} {o.status.value}" for o in found.others[:OTHERS]]
        more = f", {len(found.others) - OTHERS} more" if len(found.others) > OTHERS else ""
        yield f"also     {', '.join(named)}{more}: name one in brackets"


def _show_prompts(finding: Finding) -> Iterator[str]:
    """Shows both prompts and the lines that differ; of a clean item its one prompt."""
    label = finding.observation.cell.label
    yield from _show_block("clean prompt", finding.clean_prompt)
    if finding.observation.cell.is_clean or not finding.prompt:
        return
    yield from _show_block(f"prompt under {escape(label, LINE)}", finding.prompt)
    names = ("clean", label)
    diff = diff_prompts(finding.clean_prompt, finding.prompt, names, context=0)
    yield from ("", "difference")
    yield from (f"    {line}" for line in diff[2:])


def _show_answers(finding: Finding) -> Iterator[str]:
    """Shows an answer to each prompt, and where the one that fails does."""
    if not finding.observation.cell.is_clean:
        yield from _show_answer("answer to the clean prompt", finding.clean, finding.passing)
    label = escape(finding.observation.cell.label, LINE)
    title = f"answer under {label}" if not finding.observation.cell.is_clean else "answer"
    yield from _show_answer(title, finding.samples, finding.failing)
    if finding.failing is not None:
        verdict = finding.failing.verdict
        yield from ("", "failing test")
        yield f"    {escape(verdict.detail, LINE) or verdict.failure}"


def _show_answer(
    title: str, samples: Sequence[JudgedCompletion], chosen: JudgedCompletion | None
) -> Iterator[str]:
    """Shows the chosen sample, or else the first."""
    if not samples:
        yield from ("", f"{title}: none")
        return
    sample = chosen or samples[0]
    verdict = sample.verdict
    which = f" {samples.index(sample) + 1} of {len(samples)}" if len(samples) > 1 else ""
    outcome = "passes" if verdict.full else f"{verdict.failure},"
    cut = ", cut by the token limit" if sample.completion.truncated else ""
    counts = f"{verdict.passed} of {verdict.total} tests" + ("" if verdict.full else " pass")
    yield from _show_block(f"{title}{which}: {outcome} {counts}{cut}", sample.completion.text)
    if sample.left_out:
        yield from _show_block("left out of the solution", sample.left_out)


def _show_block(title: str, text: str) -> Iterator[str]:
    """Shows a text line by line below its title."""
    yield from ("", title)
    yield from (f"    {escape(line, LINE)}" for line in text.expandtabs(4).rstrip("\n").split("\n"))
