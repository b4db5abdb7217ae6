"""The failures of hunts: the changed words, the completions before and after, the command.

Removed words are shown in [-brackets-] and new ones in {+braces+}, so that a log without colour
reads the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.text import Text

from coderobust_strategies import Edit
from pytest_coderobust.hunting.failure import Failure, ShownPrompt
from pytest_coderobust.hunting.tally import SuiteHunt
from pytest_coderobust.reporting.hostile import escape

IN_FULL = 5
"""Failures of a suite shown with diff and completions; the others take a line each."""

LISTED = 20
"""Failures of a suite that are shown at all; every one is a file."""

LINES = 8
"""Lines of a completion that are shown."""

WIDTH = 200
_WORD = re.compile(r"\w+")
ENDINGS = {
    "robust": "no variant broke it",
    "budget": "unbroken when the budget ended",
    "unsolved": "clean prompt failed when asked again",
    "unconfirmed": "broke once, not when asked again",
}


def render_hunt(hunt: SuiteHunt) -> Iterator[Text]:
    """Renders one suite's hunt, from its counts to its failures."""
    counts = hunt.counts
    found = counts.endings.get("found", 0)
    yield Text.assemble(
        ("hunt", "bold"),
        f"  {escape(hunt.suite)}: {found} of {counts.tasks} solved tasks broken by "
        f"{escape(', '.join(hunt.names), WIDTH)}",
    )
    if counts.edits is not None:
        kinds = ", ".join(f"{escape(kind)} {count}" for kind, count in counts.kinds.items())
        noun = "edit" if counts.edits == 1 else "edits"
        yield Text(f"      {counts.edits:g} {noun} in the median ({kinds})")
    yield from _show_work(hunt)
    for note in hunt.notes:
        yield Text(f"note  {escape(note, WIDTH)}")
    for failure in counts.fixed:
        yield Text(f"fixed {escape(failure.task_id)}: {_name_kinds(failure.edits)}", "green")
    for place, failure in enumerate(hunt.failures[:LISTED]):
        if place < IN_FULL:
            yield Text("")
            yield from render_failure(failure, hunt.files.get(failure.id, ""))
        else:
            yield _keep_whole(f"{_make_title(failure)}  {hunt.files.get(failure.id, '')}")
    if len(hunt.failures) > LISTED:
        yield Text(f"and {len(hunt.failures) - LISTED} more in .coderobust/failures")


def _show_work(hunt: SuiteHunt) -> Iterator[Text]:
    """Shows what was asked, how, and how the search of each task ended."""
    counts = hunt.counts
    yield Text(f"      {counts.completions} completions asked for")
    if hunt.threads:
        yield Text(f"      threads: {escape(hunt.threads)}")
    for ending, meaning in ENDINGS.items():
        if counts.endings.get(ending):
            yield Text(f"      {counts.endings[ending]} {meaning}")
    if counts.fixed or counts.still:
        known = len(counts.fixed) + len(counts.still)
        noun = "failure" if known == 1 else "failures"
        yield Text(
            f"      replayed {known} known {noun}: "
            f"{len(counts.still)} still broken, {len(counts.fixed)} fixed"
        )


def render_failure(failure: Failure, file: str = "") -> Iterator[Text]:
    yield Text(_make_title(failure), "bold")
    for words in diff_words(failure.clean.prompt, failure.edits):
        yield Text.assemble("    ", words)
    yield from _show_completion("before", failure.clean, passing=True)
    yield from _show_completion("after", failure.broken, passing=False)
    if failure.reproduce:
        yield _keep_whole(f"  reproduce: {failure.reproduce}")
    if file:
        yield _keep_whole(f"  kept in {file}")


def diff_words(clean: str, edits: Sequence[Edit]) -> Iterator[Text]:
    """Shows the lines that edits touch, each changed word beside its replacement."""
    start = 0
    for line in clean.splitlines(keepends=True):
        inside = [
            Edit(each.start - start, each.stop - start, each.replacement, each.kind)
            for each in sorted(edits)
            if start <= each.start < start + len(line)
        ]
        if inside:
            yield _diff_line(line.rstrip("\r\n"), inside)
        start += len(line)


def _diff_line(line: str, edits: Sequence[Edit]) -> Text:
    shown, end = Text(), 0
    for start, stop in _find_words(line, edits):
        touching = [each for each in edits if start <= each.start <= stop]
        new, place = "", start
        for each in touching:
            new += line[place : each.start] + each.replacement
            place = each.stop
        new += line[place:stop]
        shown.append(escape(line[end:start]))
        if stop > start:
            shown.append(f"[-{escape(line[start:stop])}-]", "red strike")
        shown.append(f"{{+{escape(new)}+}}", "bold green")
        end = stop
    shown.append(escape(line[end:]))
    return shown


def _find_words(line: str, edits: Sequence[Edit]) -> list[tuple[int, int]]:
    """Finds the stretches of whole words that edits touch, joined where they meet."""
    spans = [match.span() for match in _WORD.finditer(line)]
    found: list[tuple[int, int]] = []
    for edit in edits:
        start, stop = edit.start, min(edit.stop, len(line))
        for first, last in spans:
            if (first < stop and start < last) or (start == stop and first <= start <= last):
                start, stop = min(start, first), max(stop, last)
        if found and start <= found[-1][1]:
            start, stop = found[-1][0], max(stop, found.pop()[1])
        found.append((start, stop))
    return found


def _show_completion(name: str, shown: ShownPrompt, *, passing: bool) -> Iterator[Text]:
    """Shows the first sample that passes or fails, as asked, with its verdict."""
    pairs = zip(shown.completions, shown.verdicts, strict=True)
    chosen = next((pair for pair in pairs if pair[1].full is passing), None)
    if chosen is None:
        return
    completion, verdict = chosen
    cut = ", cut by the token limit" if completion.truncated else ""
    failing = f"; {verdict.failure}: {escape(verdict.detail, WIDTH)}" if verdict.failure else ""
    yield Text(f"  {name}: {verdict.passed} of {verdict.total} tests pass{cut}{failing}")
    lines = completion.text.splitlines()
    for line in lines[:LINES]:
        yield Text(f"    {escape(line, WIDTH)}", "dim")
    if len(lines) > LINES:
        yield Text(f"    (+{len(lines) - LINES} lines)", "dim")


def _keep_whole(line: str) -> Text:
    """Makes a line that is never cut into several."""
    return Text(line, no_wrap=True)


def _make_title(failure: Failure) -> str:
    votes = failure.votes
    share = f", fails {votes.failed} of {votes.of} times" if votes.of > 1 else ""
    rest = "" if failure.minimal else ", not minimal: the budget ended"
    return f"{escape(failure.task_id)}: broken by {_name_kinds(failure.edits)}{share}{rest}"


def _name_kinds(edits: Sequence[Edit]) -> str:
    noun = "edit" if len(edits) == 1 else "edits"
    return f"{len(edits)} {noun} ({', '.join(sorted({escape(each.kind) for each in edits}))})"
