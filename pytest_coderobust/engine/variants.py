"""Variants of a plan: the prompt of each square, made when it is first needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from coderobust_strategies import PerturbationError, perturb
from coderobust_strategies.catalogue import CODE_PREFIX
from coderobust_strategies.perturbations.recode import TaskCode, recode
from coderobust_strategies.rewrite import diff
from coderobust_strategies.variant import NOT_DRAWN, is_drawn
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.errors import DataError
from pytest_coderobust.records import Cell, Task, Tests, Variant
from pytest_coderobust.tasks.humaneval import cut_preamble

NO_SOLUTION = "no canonical solution to change along"
NOT_PYTHON = "changes of code are for Python"
KIND = "code"
_BORDER = "\n# ---- what stands below is the tests, above are the names they use ----\n"


def make_variant(plan: Plan, task: Task, cell: Cell) -> Variant:
    """Makes the variant of `task` under `cell`: always the same, in every process.

    Raises:
        DataError: the perturbation cannot read the prompt.
        ModelError: the rewriter of a perturbation cannot be run.
    """
    if cell.is_clean:
        return Variant(task, cell, task.prompt)
    if cell in plan.recorded:
        found = plan.recorded[cell].get(task.id)
        return found or Variant(task, cell, task.prompt, skipped="not recorded")
    perturbing = plan.config.perturbing
    if cell.perturbation.startswith(CODE_PREFIX):
        return recode_variant(task, cell, perturbing.sample_ratio)
    # An aggregate (S, mix_all) has no source of its own; its member S1 is the one that needs one.
    source = plan.rewrite_sources.get(cell.perturbation) or plan.rewrite_sources.get("S1")
    try:
        drawn = perturb(
            task.prompt,
            cell.perturbation,
            cell.seed,
            task_id=task.id,
            entry_point=task.entry_point,
            code=task.canonical or "",
            profile=perturbing.profile,
            edit_rate=perturbing.edit_rate,
            sample_ratio=perturbing.sample_ratio,
            lexicon=perturbing.lexicon,
            rewriter=source.rewriter(task, cell) if source else None,
            recorded=source.recorded(task, cell) if source else None,
            keep_damaged=perturbing.keep_damaged,
        )
    except PerturbationError as error:
        raise DataError(f"{task.id}: {error}") from None
    return Variant(task, cell, drawn.prompt, drawn.edits, drawn.member, drawn.skipped, drawn.damage)


def prepare(plan: Plan, squares: Iterable[tuple[str, Cell]]) -> None:
    """Rewrites the sentences of many squares together, for rewriters that are faster in batches.

    Raises:
        ModelError: a rewriter cannot be run.
    """
    wanted: dict[str, list[Task]] = {}
    for task, cell in squares:
        spec = plan.config.perturbing.rewriters.serving(cell.perturbation)
        for name, each in plan.config.perturbing.rewriters.specs.items():
            if each is spec and name in plan.rewrite_sources:
                wanted.setdefault(name, []).append(plan.tasks[task])
    for name, tasks in wanted.items():
        plan.rewrite_sources[name].prepare(tasks)


def recode_variant(task: Task, cell: Cell, sample_ratio: float = 1.0) -> Variant:
    """Makes the variant of a task under a `recode:` perturbation; tests and solution change too."""
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
    edits = tuple(replace(edit, kind=KIND) for edit in diff(task.prompt, changed.prompt))
    return Variant(_make_judging_task(task, changed), cell, changed.prompt, edits)


def _make_judging_task(task: Task, changed: TaskCode) -> Task:
    helpers, _, source = changed.tests.partition(_BORDER)
    return replace(
        task,
        prompt=changed.prompt,
        entry_point=changed.entry_point,
        canonical=changed.solution,
        tests=Tests(source, task.tests.style, helpers),
        preamble=cut_preamble(changed.prompt, changed.entry_point),
    )
