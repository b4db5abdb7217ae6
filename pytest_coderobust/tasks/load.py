"""From what a suite calls its tasks (a data set, a file, a hub id) to the tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from pytest_coderobust.config.api_changes import read_changes
from pytest_coderobust.errors import DataError, UnknownName
from pytest_coderobust.records import ApiChange, PromptForm, Task, digest
from pytest_coderobust.tasks import apps, evalplus, humaneval_x, mbpp
from pytest_coderobust.tasks.apps import apps_task
from pytest_coderobust.tasks.catalogue import DATA_SETS, locate
from pytest_coderobust.tasks.evalplus import evalplus_task
from pytest_coderobust.tasks.hub import HUB_PREFIX, hub_rows
from pytest_coderobust.tasks.humaneval import humaneval_task
from pytest_coderobust.tasks.humaneval_x import humaneval_x_task
from pytest_coderobust.tasks.mbpp import mbpp_task
from pytest_coderobust.tasks.partial import partial_task
from pytest_coderobust.tasks.rows import SUFFIXES, DataRow, read_rows

FORMATS = ("humaneval", "mbpp", "evalplus", "apps", "humaneval-x")


@dataclass(frozen=True, slots=True)
class TaskSet:
    """The tasks of a suite.

    Attributes:
        name: what a report calls them.
        digest: a fingerprint of all content; the same for the same tasks from another file.
        notes: sentences that a report must show.
    """

    name: str
    tasks: tuple[Task, ...]
    digest: str
    notes: tuple[str, ...] = ()


def load_tasks(
    source: str, *, base: Path, form: PromptForm = "docstring", fmt: str | None = None
) -> TaskSet:
    """The tasks that `source` names.

    Args:
        source: a file's path, a data set's name, or "hub:ORG/NAME[/split]".
        base: the folder that a relative path starts from.
        form: how an MBPP prompt is written; "partial" puts the first half of the solution into
            any data set's prompts.
        fmt: the shape of the rows, one of `FORMATS`, where their keys do not tell it.

    Raises:
        DataError: the data are missing or cannot be used; the message names file and line.
        UnknownName: `source` or `fmt` is no name that there is.
        MissingExtra: the hub needs a library that is not installed.
    """
    if fmt is not None and fmt not in FORMATS:
        raise UnknownName("task format", fmt, FORMATS)
    if source.startswith(HUB_PREFIX):
        rows, name = hub_rows(source), source
    else:
        path = _path(source, base)
        rows = read_rows(path)
        name = source if source in DATA_SETS else path.name.partition(".")[0]
    kept, notes = _kept(rows, name, fmt)
    tasks = _tasks(kept, form, fmt)
    return TaskSet(name=name, tasks=tasks, digest=fingerprint(tasks), notes=notes)


def _path(source: str, base: Path) -> Path:
    path = base / source
    if path.is_file():
        return path
    if source in DATA_SETS:
        return locate(source)
    if "/" in source or source.endswith((*SUFFIXES, ".gz")):
        raise DataError(f"{path}: there is no such file of tasks")
    raise UnknownName("data set", source, DATA_SETS)


def _kept(
    rows: Sequence[DataRow], name: str, fmt: str | None
) -> tuple[Sequence[DataRow], tuple[str, ...]]:
    """The rows that are tasks here, and what a report must say about the others."""
    reasons = [apps.left_out(row) if (fmt or _shape(row)) == "apps" else "" for row in rows]
    kept = [row for row, reason in zip(rows, reasons, strict=True) if not reason]
    counts = Counter(reason for reason in reasons if reason)
    return kept, tuple(f"{name}: {n} tasks left out: {why}" for why, n in counts.items())


def _tasks(rows: Sequence[DataRow], form: PromptForm, fmt: str | None) -> tuple[Task, ...]:
    places: dict[str, str] = {}
    tasks: list[Task] = []
    for row in rows:
        task = replace(_task(row, form, fmt), api_changes=_api_changes(row))
        _check_id(row, task.id, places)
        places[task.id] = row.where
        tasks.append(task)
    return tuple(tasks)


def _task(row: DataRow, form: PromptForm, fmt: str | None) -> Task:
    if form == "partial":
        return partial_task(_task(row, "docstring", fmt), row.where)
    shape = fmt or _shape(row)
    if shape == "mbpp":
        return mbpp_task(row, form)
    if shape == "apps":
        return apps_task(row)
    if shape == "humaneval-x":
        return humaneval_x_task(row)
    return evalplus_task(row, form) if shape == "evalplus" else humaneval_task(row)


def _api_changes(row: DataRow) -> tuple[ApiChange, ...]:
    """What a row of any shape declares under "api_changes"."""
    declared = row.values.get("api_changes") or []
    if not isinstance(declared, list):
        raise row.error("'api_changes' must be a list of objects with 'old' and maybe 'new'")
    return read_changes(cast("list[object]", declared), row.error)


def _shape(row: DataRow) -> str:
    """The shape of a row by its keys; a row of no known shape is reported as HumanEval's."""
    keys = row.values.keys()
    if keys >= mbpp.KEYS:
        return "mbpp"
    if keys >= apps.KEYS:
        return "apps"
    if keys >= humaneval_x.KEYS:
        return "humaneval-x"
    return "evalplus" if keys >= evalplus.KEYS else "humaneval"


def _check_id(row: DataRow, task_id: str, places: Mapping[str, str]) -> None:
    if task_id in places:
        raise row.error(f"the task id {task_id!r} is already that of {places[task_id]}")
    if not task_id.strip() or not task_id.isprintable() or {"::", "[", "]"} & _marks(task_id):
        raise row.error(
            f"the task id {task_id!r} cannot be part of a test's name; "
            "it must be printable, not blank, and without '::', '[' and ']'"
        )


def _marks(text: str) -> set[str]:
    return {mark for mark in ("::", "[", "]") if mark in text}


def fingerprint(tasks: Iterable[Task]) -> str:
    """A digest of everything that the tasks say, whatever file they came from."""
    return digest(
        *(
            [
                task.id,
                task.prompt,
                task.entry_point,
                [task.tests.source, task.tests.style, task.tests.helpers],
                task.canonical,
                task.preamble,
                task.language,
                list(task.tags),
                [[change.old, change.new] for change in task.api_changes],
            ]
            for task in tasks
        )
    )
