"""The evidence in a page: prompts as word changes, completions, failing tests; in blocks.

A page cannot hold everything of a large run. Broken prompts come first, then the others, until a
budget is spent; the page counts the items left out, and the ledger still has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_coderobust.records import Observation, Status
from pytest_coderobust.reporting.hostile import escape, escape_block
from pytest_coderobust.reporting.html.safe import dump_script_json
from pytest_coderobust.reporting.words import find_word_changes
from pytest_coderobust.results.conclusion import SuiteReport
from pytest_coderobust.results.evidence import Finding, JudgedCompletion

BUDGET = 24 << 20
"""Bytes of JSON: a phone still opens it."""

BLOCK = 256 << 10
"""Bytes of a block: parsed in a few milliseconds when one of its tasks is opened."""

SAMPLES = 5
TEXT = 4000
PROMPT = 8000
ORDER = (Status.BROKEN, Status.ROBUST, Status.UNSOLVED, Status.SOLVED)


@dataclass(frozen=True, slots=True)
class PageEvidence:
    """One suite's evidence.

    Attributes:
        chunks: JSON objects, by task's place in the plan: {"p": clean prompt, "v": {cell's place:
            {"d": changes, "s": samples}}}.
        where: for each task of the plan the number of its chunk, -1 where it has none.
        left_out: measured items whose evidence did not fit.
        size: bytes of all chunks.
    """

    chunks: tuple[str, ...]
    where: tuple[int, ...]
    left_out: int
    size: int


def gather(report: SuiteReport, budget: int, first: int = 0) -> PageEvidence:
    """Gathers the evidence of a suite within a budget of bytes.

    Args:
        first: the number of the first chunk.
    """
    places = {cell: place for place, cell in enumerate(report.run.cells)}
    prompts: dict[str, str] = {}
    items: dict[str, list[str]] = {}
    size = taken = 0
    measured = [o for o in report.run.observations if o.measured]
    for finding in report.archive.findings(sort_by_urgency(measured)):
        task = finding.observation.task_id
        item = f'"{places[finding.observation.cell]}":{dump_script_json(make_item(finding))}'
        if task not in prompts:
            prompts[task] = dump_script_json(escape_block(finding.clean_prompt, PROMPT))
            size += len(prompts[task]) + 20
        if size + len(item) > budget:
            break
        size += len(item) + 1
        taken += 1
        items.setdefault(task, []).append(item)
    chunks: list[str] = []
    where = dict[str, int]()
    for members in pack_tasks(report.run.tasks, items):
        where |= dict.fromkeys(members, first + len(chunks))
        chunks.append(_make_chunk(report, members, prompts, items))
    return PageEvidence(
        tuple(chunks),
        tuple(where.get(task, -1) for task in report.run.tasks),
        len(measured) - taken,
        sum(map(len, chunks)),
    )


def sort_by_urgency(observations: list[Observation]) -> list[Observation]:
    """Sorts observations: broken prompts first, otherwise in plan order."""
    rank = {status: place for place, status in enumerate(ORDER)}
    return sorted(observations, key=lambda o: rank[o.status])


def pack_tasks(tasks: tuple[str, ...], items: dict[str, list[str]]) -> Iterator[list[str]]:
    """Packs neighbouring tasks of up to `BLOCK` bytes together."""
    members: list[str] = []
    size = 0
    for task in tasks:
        if task not in items:
            continue
        members.append(task)
        size += sum(map(len, items[task]))
        if size > BLOCK:
            yield members
            members, size = [], 0
    if members:
        yield members


def make_item(finding: Finding) -> dict[str, object]:
    """Makes one square: its prompt's changes, and its first samples, failing ones first."""
    shown = sorted(finding.samples, key=lambda sample: sample.verdict.full)[:SAMPLES]
    found: dict[str, object] = {
        "s": [make_sample(sample) for sample in shown],
        "m": len(finding.samples) - len(shown),
    }
    if not finding.observation.cell.is_clean:
        found["d"] = list_changes(finding)
        found["c"] = [make_sample(finding.passing)] if finding.passing else []
    return found


def make_sample(sample: JudgedCompletion) -> list[object]:
    """Makes one sample: text, verdict in words ("" for one that passes), and what was left out."""
    verdict = sample.verdict
    cut = ", cut by the token limit" if sample.completion.truncated else ""
    words = ""
    if not verdict.full:
        words = f"{verdict.failure}, {verdict.passed} of {verdict.total} tests pass{cut}"
        words += f": {escape(verdict.detail, TEXT)}" if verdict.detail else ""
    left_out = [escape_block(sample.left_out, TEXT)] if sample.left_out else []
    return [escape_block(sample.completion.text, TEXT), words, *left_out]


def list_changes(finding: Finding) -> list[list[object]]:
    """Lists changes: offsets into the clean prompt as the page shows it (UTF-16), new text."""
    clean = escape_block(finding.clean_prompt, PROMPT)
    found = find_word_changes(clean, escape_block(finding.prompt, PROMPT))
    return [[count_units(clean, c.start), count_units(clean, c.stop), c.replacement] for c in found]


def count_units(text: str, index: int) -> int:
    """Counts a character offset as a browser does."""
    return index if text.isascii() else len(text[:index].encode("utf-16-le")) // 2


def _make_chunk(
    report: SuiteReport, members: list[str], prompts: dict[str, str], items: dict[str, list[str]]
) -> str:
    rows = {task: place for place, task in enumerate(report.run.tasks)}
    parts = (
        f'"{rows[task]}":{{"p":{prompts[task]},"v":{{{",".join(items[task])}}}}}'
        for task in members
    )
    return f"{{{','.join(parts)}}}"
