"""The plan of a suite: its tasks, its cells, and the variant that stands in each square."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, replace

from coderobust_strategies import PerturbationError, level, perturb
from pytest_coderobust.config.suite import SuiteConfig
from pytest_coderobust.errors import DataError
from pytest_coderobust.records import Cell, Task, Variant, digest
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


def read_plan(config: SuiteConfig) -> Plan:
    """Reads the tasks of a suite; no prompt is perturbed yet.

    Raises:
        DataError: the tasks or the recorded variants cannot be read.
    """
    tasks = load_tasks(config.tasks, base=config.base, form=config.prompt_form, fmt=config.format)
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
        ),
        notes=(*tasks.notes, *recorded.notes),
    )


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
