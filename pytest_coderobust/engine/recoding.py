"""ReCode's changes of code at work: the variant carries the task that judges it, changed alike."""

from __future__ import annotations

from dataclasses import replace

from coderobust_strategies.recode import TaskCode, recode
from coderobust_strategies.rewrite import recorded
from coderobust_strategies.variant import NOT_DRAWN, is_drawn
from pytest_coderobust.records import Cell, Task, Tests, Variant
from pytest_coderobust.tasks.humaneval import preamble

NO_SOLUTION = "no canonical solution to change along"
NOT_PYTHON = "changes of code are for Python"
KIND = "code"
_BORDER = "\n# ---- what stands below is the tests, above are the names they use ----\n"


def recoded(task: Task, cell: Cell, sample_ratio: float = 1.0) -> Variant:
    """The variant of a task under one of `recode:`; a rename reaches tests and solution too."""
    skipped = ""
    if task.language != "python":
        skipped = NOT_PYTHON
    elif task.canonical is None:
        skipped = NO_SOLUTION
    elif not is_drawn(task.id, cell.perturbation, cell.seed, sample_ratio):
        skipped = NOT_DRAWN
    if skipped or task.canonical is None:
        return Variant(task, cell, task.prompt, skipped=skipped)
    source = task.tests.helpers + _BORDER + task.tests.source
    code = TaskCode(task.prompt, task.canonical, source, task.entry_point)
    made = recode(code, cell.perturbation, cell.seed, task_id=task.id)
    if made.skipped:
        return Variant(task, cell, task.prompt, skipped=made.skipped)
    changed = made.task
    edits = tuple(replace(edit, kind=KIND) for edit in recorded(task.prompt, changed.prompt))
    return Variant(_judge(task, changed), cell, changed.prompt, edits)


def _judge(task: Task, changed: TaskCode) -> Task:
    helpers, _, source = changed.tests.partition(_BORDER)
    return replace(
        task,
        prompt=changed.prompt,
        entry_point=changed.entry_point,
        canonical=changed.solution,
        tests=Tests(source, task.tests.style, helpers),
        preamble=preamble(changed.prompt, changed.entry_point),
    )
