"""Material of a study: its changes, their tasks, and the tasks beside them, as a suite has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_coderobust.config.suite import SuiteConfig
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.errors import DataError
from pytest_coderobust.migration.draws import order_by_draw
from pytest_coderobust.migration.study.subsets import SUBSETS
from pytest_coderobust.records import ApiChange, Task
from pytest_coderobust.tasks.rows import read_rows

TAG = "subset:"
BEFORE = "canonical_before"
"""Key of a row: the canonical solution as it was before the change."""


@dataclass(frozen=True, slots=True)
class MigratedTask:
    """A task that a change is about.

    Attributes:
        before: its canonical solution before the change; None where its row does not tell.
    """

    task: Task
    change: ApiChange
    before: str | None = None


@dataclass(frozen=True, slots=True)
class StudyMaterial:
    """The benchmark of a study.

    Attributes:
        changes: in the order of the edits.
        reliability, generalisation: the tasks of each change, by its old name.
        specificity: tasks that no change is about.
    """

    changes: tuple[ApiChange, ...]
    reliability: Mapping[str, tuple[MigratedTask, ...]]
    generalisation: Mapping[str, tuple[MigratedTask, ...]]
    specificity: tuple[Task, ...]

    def list_solved(self, changes: Iterable[ApiChange]) -> list[Task]:
        """Lists the reliability tasks of changes: what is known to be solved in the new way."""
        return [each.task for change in changes for each in self.reliability[change.old]]


def read_material(plan: Plan, usable: Sequence[Task]) -> StudyMaterial:
    """Reads the material of a suite.

    Args:
        usable: the tasks of the plan that can judge a model.

    Raises:
        DataError: it is no benchmark of migration, or a reliability task has no canonical solution.
    """
    config = plan.config
    before = read_before(config)
    found: dict[str, dict[str, list[MigratedTask]]] = {"reliability": {}, "generalisation": {}}
    beside: list[Task] = []
    changes: dict[str, ApiChange] = {}
    for task in usable:
        subset = next((t.removeprefix(TAG) for t in task.tags if t.startswith(TAG)), "")
        if subset == "specificity":
            beside.append(task)
        if subset not in found:
            continue
        change = read_change(config, task, subset)
        changes[change.old] = change
        migrated = MigratedTask(task, change, before.get(task.id))
        found[subset].setdefault(change.old, []).append(migrated)
    if not changes:
        names = " and ".join(repr(f"{TAG}{name}") for name in SUBSETS[:2])
        raise DataError(
            f"{config.path}: no task has one of the tags {names}: a study needs a benchmark as "
            "`coderobust build-apis` makes it"
        )
    chosen = order_by_draw(config.migration.seed, "edits", "", changes)
    chosen = chosen[: config.migration.changes]
    return StudyMaterial(
        tuple(changes[old] for old in chosen),
        {old: tuple(found["reliability"].get(old, ())) for old in chosen},
        {old: tuple(found["generalisation"].get(old, ())) for old in chosen},
        tuple(beside),
    )


def read_change(config: SuiteConfig, task: Task, subset: str) -> ApiChange:
    """Reads the one change that a task is about.

    Raises:
        DataError: it has none or several, or no canonical solution to edit for.
    """
    if len(task.api_changes) != 1:
        count = len(task.api_changes) or "no"
        raise DataError(
            f"{config.path}: task {task.id} has the tag '{TAG}{subset}' and declares {count} API "
            "changes, where a study needs the one that it is about"
        )
    if subset == "reliability" and task.canonical is None:
        raise DataError(
            f"{config.path}: task {task.id} has no canonical solution, which a reliability task "
            "needs: an edit is made for it"
        )
    return task.api_changes[0]


def read_before(config: SuiteConfig) -> dict[str, str]:
    """Reads the canonical solutions before the changes, by task, where rows tell them."""
    path = config.base / config.tasks
    if not path.is_file():
        return {}
    return {
        str(row.values["task_id"]): row.text(BEFORE)
        for row in read_rows(path)
        if BEFORE in row and "task_id" in row
    }
