"""Subsets of a data set: the tasks whose ids a file lists, or the first so many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pytest_coderobust.errors import DataError, nearest
from pytest_coderobust.tasks.load import TaskSet


def choose_tasks(found: TaskSet, ids: Path | None = None, limit: int | None = None) -> TaskSet:
    """Chooses tasks in the order of the data set; a note names a subset by its file.

    Args:
        ids: a text file with one id a line; blank lines and lines that begin with # are left out.
        limit: the most tasks, from the first; None is all.

    Raises:
        DataError: the file cannot be read, lists nothing, or lists an id twice or one that no
            task has.
    """
    tasks, notes = found.tasks, found.notes
    if ids is not None:
        listed = dict(_read_ids(ids))
        known = {task.id for task in tasks}
        for name, line in listed.items():
            if name not in known:
                raise DataError(
                    f"{ids}, line {line}: {found.name} has no task {name!r}{_offer(name, known)}"
                )
        tasks = tuple(task for task in tasks if task.id in listed)
        subset = f"{found.name}: {len(tasks)} of {len(found.tasks)} tasks, those of {ids.name}"
        notes = (*notes, subset)
    return replace(found, tasks=tasks[:limit], notes=notes)


def _read_ids(path: Path) -> Iterator[tuple[str, int]]:
    """Yields each id with its line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file of ids") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the file of ids cannot be read: {error}") from None
    places: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        if name in places:
            raise DataError(f"{path}, line {number}: {name!r} is line {places[name]} already")
        places[name] = number
        yield name, number
    if not places:
        raise DataError(f"{path}: the file lists no ids")


def _offer(name: str, known: set[str]) -> str:
    """Offers the nearest id alone: a list of all would be as long as the data set."""
    return nearest(name, known).partition(" (valid:")[0]
