"""The files of a benchmark: `changes.toml` for people, `tasks.jsonl` and `suite.toml` to run."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping

from pytest_coderobust.migration.benchmark import Benchmark, BuildPlan
from pytest_coderobust.migration.corpus import Corpus, CorpusProblem
from pytest_coderobust.migration.pairs import ChangePair
from pytest_coderobust.records import ApiChange

BUILDER_VERSION = 1
"""Changes whenever the same corpus might become another benchmark."""
SUITE = """[suite]
name = "api-migration"
tasks = "tasks.jsonl"
prompt_form = "docstring"

[sampling]
max_new_tokens = 512
"""
HEAD = """# API changes and their tasks, built by `coderobust build-apis`.
# Delete a [[change]] table, or a task from a list, and build again: the rest stays as it is.
"""


def write_files(benchmark: Benchmark) -> dict[str, str]:
    """Writes a benchmark's files, by name."""
    return {
        "changes.toml": "".join(_write_changes(benchmark)),
        "tasks.jsonl": "".join(f"{json.dumps(row)}\n" for row in _list_rows(benchmark)),
        "suite.toml": SUITE,
    }


def dump(value: object) -> str:
    """Writes text, a number or a list of them as TOML; in these JSON is almost the same."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def describe_build(plan: BuildPlan, corpus: Corpus) -> dict[str, object]:
    """Describes what a benchmark depends on: equal descriptions mean equal files."""
    return {
        "version": BUILDER_VERSION,
        "tasks": list(plan.tasks),
        "corpus": corpus.digest[:16],
        "seed": plan.seed,
        "preset": plan.preset,
        "kinds": list(plan.kinds.names),
        "names": plan.names.label,
        **({"table": plan.names.digest} if plan.names.digest else {}),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


def _write_changes(benchmark: Benchmark) -> Iterator[str]:
    yield HEAD
    yield f"specificity = {_write_list(each.task.id for each in benchmark.specificity)}\n"
    yield "\n[build]\n"
    for key, value in describe_build(benchmark.plan, benchmark.corpus).items():
        yield f"{key} = {dump(value)}\n"
    if benchmark.left_out:
        yield "\n# APIs without a change, and why\n[left_out]\n"
        yield from _write_texts(benchmark.left_out)
    for api, share in benchmark.shares.items():
        yield "\n[[change]]\n"
        for key, value in write_change(benchmark.changes[api]).items():
            yield f"{key} = {dump(value)}\n"
        yield f"reliability = {_write_list(pair.key[1] for pair in share.reliability)}\n"
        yield f"generalisation = {_write_list(pair.key[1] for pair in share.generalisation)}\n"
        if excluded := benchmark.excluded.get(api):
            yield "[change.excluded]\n"
            yield from _write_texts(excluded)


def _write_list(items: Iterable[str]) -> str:
    lines = "".join(f"  {dump(item)},\n" for item in items)
    return f"[\n{lines}]" if lines else "[]"


def _write_texts(values: Mapping[str, str]) -> Iterator[str]:
    for key, value in values.items():
        yield f"{dump(key)} = {dump(value)}\n"


def write_change(change: ApiChange) -> dict[str, object]:
    """Writes a change as a suite or a file of tasks declares it."""
    found: dict[str, object] = {"old": change.old}
    if change.new:
        found["new"] = change.new
    if change.kind:
        found |= {"kind": change.kind, "parameters": list(change.parameters)}
    return found


def _list_rows(benchmark: Benchmark) -> Iterator[dict[str, object]]:
    for share in benchmark.shares.values():
        for subset in ("reliability", "generalisation"):
            pairs: tuple[ChangePair, ...] = getattr(share, subset)
            for pair in pairs:
                yield write_row(pair.problem, subset, pair)
    for problem in benchmark.specificity:
        yield write_row(problem, "specificity")


def write_row(
    problem: CorpusProblem, subset: str, pair: ChangePair | None = None
) -> dict[str, object]:
    """Writes one task as a row that `pytest_coderobust.tasks` reads back."""
    task = problem.task
    row: dict[str, object] = {"task_id": task.id, "prompt": task.prompt}
    tags = [*task.tags, f"subset:{subset}"]
    if pair is not None:
        row["canonical_before"] = problem.solution
        tags.append(f"api:{pair.change.old}")
        if problem.uses[pair.change.old].shown:
            tags.append("shown:old")
    row["canonical_solution"] = problem.solution if pair is None else pair.rewritten
    if task.tests.style == "stdio":
        row["input_output"] = json.loads(task.tests.source)
    else:
        row |= {"entry_point": task.entry_point, "test": task.tests.source}
        if task.tests.helpers:
            row["helpers"] = task.tests.helpers
    if pair is not None:
        row["api_changes"] = [write_change(pair.change)]
    row["tags"] = tags
    return row
