"""A look at a folder that has no suite yet: tasks of its own, a model, and its kind of CI."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

DEEPEST = 3
"""Folders below the first that are looked into."""

MOST_FILES = 40
"""Files that are tried as files of tasks."""

MOST_BYTES = 20_000_000

TASK_SUFFIXES = (".jsonl", ".jsonl.gz", ".json", ".toml")
LEFT_OUT = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist"})


@dataclass(frozen=True, slots=True)
class FolderLook:
    """The things in a folder that a first suite depends on.

    Attributes:
        tasks: a file of tasks, relative to the folder; "" where there is none.
        task: the id of a task: the first of the file, or of the bundled tasks.
        model: a checkpoint's folder or file ("./checkpoints/ours"); "" where there is none.
        gitlab: the CI is GitLab's.
    """

    tasks: str
    task: str
    model: str
    gitlab: bool


def look_at_folder(folder: Path) -> FolderLook:
    """Looks at a folder; nothing is imported from it, and no model is read."""
    files = list(_list_files(folder))
    tasks, task = next(_find_tasks(folder, files), ("", "quickstart/1"))
    model = next(_find_models(folder, files), "")
    return FolderLook(tasks, task, model, (folder / ".gitlab-ci.yml").is_file())


def _list_files(folder: Path) -> Iterator[Path]:
    """Lists files, those of higher folders first; hidden folders and environments are left out."""
    for inner, folders, names in os.walk(folder):
        place = Path(inner)
        if "pyvenv.cfg" in names:
            folders.clear()
            continue
        deep = len(place.relative_to(folder).parts) >= DEEPEST
        kept = (each for each in folders if not each.startswith(".") and each not in LEFT_OUT)
        folders[:] = [] if deep else sorted(filter(_is_text, kept))
        yield from (place / name for name in sorted(names) if name[0] != "." and _is_text(name))


def _find_tasks(folder: Path, files: list[Path]) -> Iterator[tuple[str, str]]:
    """Finds files of tasks, each with its first task; those with "task" in their names first."""
    from pytest_coderobust.errors import CodeRobustError
    from pytest_coderobust.tasks.load import load_tasks

    fitting = [path for path in files if path.name.endswith(TASK_SUFFIXES) and _is_small(path)]
    for path in islice(sorted(fitting, key=lambda path: "task" not in path.name), MOST_FILES):
        try:
            found = load_tasks(str(path), base=folder)
        except CodeRobustError:
            continue
        if found.tasks and any(task.canonical for task in found.tasks):
            yield path.relative_to(folder).as_posix(), found.tasks[0].id


def _find_models(folder: Path, files: list[Path]) -> Iterator[str]:
    """Finds checkpoints: folders with weights beside their config.json, and GGUF files."""
    configured = {path.parent for path in files if path.name == "config.json"}
    for path in files:
        inside = path.relative_to(folder)
        if path.suffix == ".gguf":
            yield f"./{inside.as_posix()}"
        elif path.suffix == ".safetensors" and path.parent in configured and inside.parts[1:]:
            yield f"./{inside.parent.as_posix()}"


def _is_text(name: str) -> bool:
    """Whether a name is text: those of other bytes, which TOML cannot hold, have surrogates."""
    return not any("\ud800" <= each <= "\udfff" for each in name)


def _is_small(path: Path) -> bool:
    try:
        return 0 < path.stat().st_size <= MOST_BYTES
    except OSError:
        return False
