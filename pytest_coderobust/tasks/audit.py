"""Audits files of perturbed prompts, ours and other people's, against their clean prompts.

It reads the files that `coderobust perturb` writes, ReCode's JSONL and NLPerturbator's CSV. A
row's clean prompt is its own `original_prompt`, else the prompt of the task with its id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coderobust_strategies.audit import Damage, is_damaged
from pytest_coderobust.errors import DataError
from pytest_coderobust.records import PromptForm
from pytest_coderobust.tasks import mbpp
from pytest_coderobust.tasks.load import load_tasks
from pytest_coderobust.tasks.recording_row import (
    PREFIX,
    audit_renamed,
    is_mbpp,
    read_cell,
    read_task_id,
)
from pytest_coderobust.tasks.rows import DataRow, EmptyFileError, read_rows

SAME_NAME = ("", "")
BY_DESIGN = "recode:"
"""The prefix of perturbations of code, which an auditor of prose cannot judge."""


@dataclass(frozen=True, slots=True)
class Audited:
    """A row and the auditor's findings.

    Attributes:
        where: file and line, as messages say it.
        by_design: the perturbation changes code on purpose, so nothing was looked for.
    """

    where: str
    task_id: str
    perturbation: str
    seed: int
    damage: tuple[Damage, ...]
    unchanged: bool
    by_design: bool = False

    @property
    def is_damaged(self) -> bool:
        return is_damaged(self.damage)


def audit_file(
    path: Path, tasks: str | None = None, *, form: PromptForm = "docstring"
) -> tuple[Audited, ...]:
    """Audits every row of a file of prompts.

    Args:
        tasks: the data set or file with the clean prompts; wins over a row's `original_prompt`.
        form: how the prompts of MBPP's descriptions are written.

    Raises:
        EmptyFileError: the file has no prompts; the release of a data set may hold such a file.
        DataError: the file cannot be read, or lacks a clean prompt for a row.
        UnknownName: `tasks` names no data set.
    """
    try:
        rows = read_rows(path)
    except EmptyFileError:
        rows = ()
    rows = tuple(row for row in rows if "prompt" in row)
    if not rows:
        raise EmptyFileError(f"{path}: the file holds no prompts")
    clean = _clean_prompts(rows, tasks, path, form)
    return tuple(_audit_row(row, path, clean, form) for row in rows)


def _clean_prompts(
    rows: Sequence[DataRow], tasks: str | None, path: Path, form: PromptForm
) -> Mapping[str, tuple[str, str]]:
    """Prompt and entry point of the tasks by id; empty where every row brings its own."""
    if tasks is None:
        if all("original_prompt" in row for row in rows):
            return {}
        if not all(read_task_id(row).startswith("HumanEval/") for row in rows):
            raise DataError(
                f"{path}: its rows have no 'original_prompt'; name the data set or file of their "
                "clean prompts with --tasks"
            )
        tasks = "humaneval"
    found = load_tasks(tasks, base=Path.cwd(), form=form)
    return {task.id: (task.prompt, task.entry_point) for task in found.tasks}


def _audit_row(
    row: DataRow, path: Path, clean: Mapping[str, tuple[str, str]], form: PromptForm
) -> Audited:
    task_id, cell = read_task_id(row), read_cell(row, path)
    name = cell.perturbation.removeprefix(PREFIX)
    before, after, names = _read_pair(row, task_id, clean, form)
    by_design = name.startswith(BY_DESIGN)
    return Audited(
        where=row.where,
        task_id=task_id,
        perturbation=name,
        seed=cell.seed,
        damage=() if by_design else audit_renamed(before, after, *names),
        unchanged=before == after,
        by_design=by_design,
    )


def _read_pair(
    row: DataRow, task_id: str, clean: Mapping[str, tuple[str, str]], form: PromptForm
) -> tuple[str, str, tuple[str, str]]:
    """Clean prompt, variant, and the names of the entry point in both."""
    if clean and task_id not in clean:
        raise row.error(f"no task {task_id!r} among the {len(clean)} clean prompts")
    if is_mbpp(row):
        problem = mbpp.read_mbpp_problem(row)
        after = problem.prompt(row.text("prompt"), form)
        if clean:
            return clean[task_id][0], after, SAME_NAME
        return problem.prompt(row.text("original_prompt"), form), after, SAME_NAME
    after = row.text("prompt")
    if not clean:
        return row.text("original_prompt"), after, SAME_NAME
    before, entry = clean[task_id]
    return before, after, (entry, row.optional_text("entry_point") or entry)
