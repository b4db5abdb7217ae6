"""Loads the tasks that a suite names by a data set, a file, or an id of the hub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from pytest_coderobust.config.api_changes import read_changes
from pytest_coderobust.errors import DataError, UnknownName
from pytest_coderobust.records import ApiChange, PromptForm, Task, digest
from pytest_coderobust.tasks.catalogue import DATA_SETS, locate
from pytest_coderobust.tasks.hub import HUB_PREFIX, read_hub_rows
from pytest_coderobust.tasks.partial import halve_solution
from pytest_coderobust.tasks.rows import SUFFIXES, DataRow, read_rows
from pytest_coderobust.tasks.shapes import Shape, find_shape, named_shape


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
    """Loads the tasks that `source` names.

    Args:
        source: a file's path, a data set's name, or "hub:ORG/NAME[/split]".
        base: the folder that a relative path starts from.
        form: how an MBPP prompt is written; "partial" puts the first half of the solution into
            any data set's prompts.
        fmt: the name of the rows' shape where their keys do not tell it.

    Raises:
        DataError: the data are missing or cannot be used; the message names file and line.
        UnknownName: there is no data set `source`, or no shape `fmt`.
        MissingExtra: the hub needs a library that is not installed.
    """
    asked = named_shape(fmt) if fmt is not None else None
    if source.startswith(HUB_PREFIX):
        rows, name = read_hub_rows(source), source
    else:
        path = _path(source, base)
        rows = read_rows(path)
        name = source if source in DATA_SETS else path.name.partition(".")[0]
    shaped = [(row, asked or find_shape(row)) for row in rows]
    kept, notes = _keep(shaped, name)
    tasks = _read_tasks(kept, form)
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


def _keep(
    rows: Sequence[tuple[DataRow, Shape]], name: str
) -> tuple[Sequence[tuple[DataRow, Shape]], tuple[str, ...]]:
    """The rows that are tasks here, and what a report must say about the others."""
    reasons = [shape.left_out(row) if shape.left_out else "" for row, shape in rows]
    kept = [row for row, reason in zip(rows, reasons, strict=True) if not reason]
    counts = Counter(reason for reason in reasons if reason)
    return kept, tuple(f"{name}: {n} tasks left out: {why}" for why, n in counts.items())


def _read_tasks(rows: Sequence[tuple[DataRow, Shape]], form: PromptForm) -> tuple[Task, ...]:
    places: dict[str, str] = {}
    tasks: list[Task] = []
    for row, shape in rows:
        task = replace(_read_task(row, shape, form), api_changes=_api_changes(row))
        _check_id(row, task.id, places)
        places[task.id] = row.where
        tasks.append(task)
    return tuple(tasks)


def _read_task(row: DataRow, shape: Shape, form: PromptForm) -> Task:
    if form == "partial":
        return halve_solution(shape.read(row, "docstring"), row.where)
    return shape.read(row, form)


def _api_changes(row: DataRow) -> tuple[ApiChange, ...]:
    """The API changes that a row of any shape declares."""
    declared = row.values.get("api_changes") or []
    if not isinstance(declared, list):
        raise row.error("'api_changes' must be a list of objects with 'old' and maybe 'new'")
    return read_changes(cast("list[object]", declared), row.error)


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
    """Makes a digest of all content of the tasks, whatever file they came from."""
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
                [change.parts for change in task.api_changes],
            ]
            for task in tasks
        )
    )
