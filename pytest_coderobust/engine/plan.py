"""The plan of a suite: its tasks, its cells, and the variant that stands in each square."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, replace
from difflib import get_close_matches
from functools import partial

from coderobust_strategies import PerturbationError, level, perturb
from pytest_coderobust.config.api_changes import check_together
from pytest_coderobust.config.suite import SuiteConfig
from pytest_coderobust.errors import ConfigError, DataError, nearest
from pytest_coderobust.records import ApiChange, Cell, Task, Variant, digest
from pytest_coderobust.tasks.load import load_tasks
from pytest_coderobust.tasks.recorded import load_recorded, recorded_level


@dataclass(frozen=True, slots=True)
class Plan:
    """Every (task, cell) of a suite, in the order of its columns.

    Attributes:
        recorded: variants that come from files, by cell and task id.
        digest: changes whenever any measured number might.
    """

    config: SuiteConfig
    tasks: Mapping[str, Task]
    cells: tuple[Cell, ...]
    recorded: Mapping[Cell, Mapping[str, Variant]]
    digest: str
    notes: tuple[str, ...] = field(default=())

    @property
    def levels(self) -> dict[str, str]:
        """The level of each perturbation, in plan order."""
        return {
            cell.perturbation: recorded_level(cell.perturbation)
            if cell in self.recorded
            else level(cell.perturbation)
            for cell in self.cells
            if not cell.is_clean
        }

    @property
    def api_changes(self) -> tuple[ApiChange, ...]:
        """Every change that a task declares, once."""
        declared = (change for task in self.tasks.values() for change in task.api_changes)
        return tuple(dict.fromkeys(declared))


def read_plan(config: SuiteConfig) -> Plan:
    """Reads the tasks of a suite; no prompt is perturbed yet.

    Raises:
        DataError: the tasks or the recorded variants cannot be read.
    """
    tasks = load_tasks(config.tasks, base=config.base, form=config.prompt_form, fmt=config.format)
    tasks = replace(tasks, tasks=with_api_changes(tasks.tasks, config))
    recorded = load_recorded(
        config.recorded, base=config.base, tasks=tasks, form=config.prompt_form
    )
    chosen = tasks.tasks[: config.limit] if config.limit else tasks.tasks
    if not chosen:
        raise DataError(f"{config.path}: {config.tasks} has no tasks")
    return Plan(
        config=config,
        tasks={task.id: task for task in chosen},
        cells=(*config.cells, *recorded.variants),
        recorded=recorded.variants,
        digest=digest(
            "plan",
            tasks.digest,
            recorded.digest,
            config.prompt_form,
            config.limit,
            config.profile,
            config.edit_rate,
            astuple(config.limits),
            config.solved_at,
            [[astuple(change) for change in task.api_changes] for task in chosen],
        ),
        notes=(*tasks.notes, *recorded.notes),
    )


def with_api_changes(tasks: tuple[Task, ...], config: SuiteConfig) -> tuple[Task, ...]:
    """The tasks, each with the changes of the suite that are for it beside its own.

    Raises:
        ConfigError: a change is for no task, or contradicts another one.
    """
    tags = {tag for task in tasks for tag in task.tags}
    for declared in config.api_changes:
        if declared.tag and declared.tag not in tags:
            hint = nearest(declared.tag, get_close_matches(declared.tag, tags) or ())
            raise ConfigError(
                f"{config.path}: [suite] api_changes: no task has the tag {declared.tag!r}{hint}"
            )
    made: list[Task] = []
    for task in tasks:
        own = [d.change for d in config.api_changes if not d.tag or d.tag in task.tags]
        changes = tuple(dict.fromkeys((*task.api_changes, *own)))
        check_together(changes, partial(_conflict, config, task))
        made.append(replace(task, api_changes=changes) if own else task)
    return tuple(made)


def _conflict(config: SuiteConfig, task: Task, problem: str) -> ConfigError:
    return ConfigError(f"{config.path}: [suite] api_changes: task {task.id}: {problem}")


def make_variant(plan: Plan, task: Task, cell: Cell) -> Variant:
    """The prompt of `task` under `cell`: the same for ever, in every process.

    Raises:
        DataError: the perturbation cannot read the prompt.
    """
    if cell.is_clean:
        return Variant(task, cell, task.prompt)
    if cell in plan.recorded:
        found = plan.recorded[cell].get(task.id)
        return found or Variant(task, cell, task.prompt, skipped="not recorded")
    config = plan.config
    try:
        drawn = perturb(
            task.prompt,
            cell.perturbation,
            cell.seed,
            task_id=task.id,
            entry_point=task.entry_point,
            code=task.canonical or "",
            profile=config.profile,
            edit_rate=config.edit_rate,
        )
    except PerturbationError as error:
        raise DataError(f"{task.id}: {error}") from None
    return Variant(task, cell, drawn.prompt, drawn.edits, drawn.member, drawn.skipped)


def with_cells(plan: Plan, cells: tuple[Cell, ...]) -> Plan:
    """The same tasks under other columns."""
    return replace(plan, cells=cells)
