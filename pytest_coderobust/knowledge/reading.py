"""Reading of case sets by name: a file, one of CLMEEval's, or the bundled model's own."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from pytest_coderobust.errors import DataError, UsageError
from pytest_coderobust.knowledge.case_set import CaseSet
from pytest_coderobust.knowledge.neighbours import Draft, PoolItem, fill_neighbours
from pytest_coderobust.knowledge.shapes import find_shape
from pytest_coderobust.tasks.rows import read_rows

VARIABLE = "CODEROBUST_CLMEEVAL"
"""Environment variable with the folder of CLMEEval's files."""

FOLDERS: Mapping[str, str] = {"cnle": "EditConala", "csne": "EditCodeSearchNet"}
PARTS = ("all", "train", "test")
BUNDLED = ("tiny:cases", "tiny:train")


def read_case_set(text: str) -> CaseSet:
    """Reads the cases that a user names; those without neighbours get the nearest other inputs.

    Args:
        text: a file, "cnle" or "csne:train" (below the folder in CODEROBUST_CLMEEVAL), or
            "tiny:cases" and "tiny:train", which are drawn by the bundled model's generator.

    Raises:
        UsageError: the name means nothing, or CODEROBUST_CLMEEVAL names no folder.
        DataError: the file cannot be read, or a row has no target or another form.
        MissingExtra: neighbours are to be found, and scikit-learn is not installed.
    """
    if text in BUNDLED:
        return _draw_bundled(text)
    path = _find_file(text)
    state = path.stat() if path.is_file() else None
    return _read_file(text, path, None if state is None else (state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=4)
def _read_file(text: str, path: Path, state: object) -> CaseSet:
    """Reads a file, once a process while it stays as it is (`state`)."""
    del state
    rows = read_rows(path)
    drafts: list[Draft] = []
    for number, row in enumerate(rows, start=1):
        drafts.append(find_shape(row).read(row, number))
    ids = Counter(draft.case.id for draft in drafts)
    name, times = ids.most_common(1)[0]
    if times > 1:
        raise DataError(f"{path}: the id {name!r} is used by {times} cases; ids must be unique")
    pool = [PoolItem(draft.text, draft.case.prompt, draft.group) for draft in drafts]
    try:
        return CaseSet(text, tuple(fill_neighbours(drafts, pool)))
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


@lru_cache(maxsize=2)
def _draw_bundled(text: str) -> CaseSet:
    from pytest_coderobust.tiny.edit_cases import DrawnPart, draw_cases, draw_pool

    part: DrawnPart = "train" if text.endswith("train") else "cases"
    drafts = [Draft(each.case, each.case.prompt, each.composition) for each in draw_cases(part)]
    pool = [PoolItem(each.prompt, each.prompt, each.composition) for each in draw_pool(part)]
    return CaseSet(text, tuple(fill_neighbours(drafts, pool)))


def _find_file(text: str) -> Path:
    """Finds the file behind a name."""
    name, _, part = text.partition(":")
    if name not in FOLDERS:
        path = Path(text).expanduser()
        if not path.exists():
            raise UsageError(
                f"{text}: no such file; write a file, {_list_names()}, or {' or '.join(BUNDLED)}"
            )
        return path
    if (part or "all") not in PARTS:
        raise UsageError(f"{text}: no such part; write {_list_names()}")
    folder = os.environ.get(VARIABLE)
    if not folder:
        raise UsageError(
            f"{text}: set {VARIABLE} to the folder that holds {FOLDERS[name]}/, from "
            "doi.org/10.5281/zenodo.12818365"
        )
    return Path(folder).expanduser() / FOLDERS[name] / f"{part or 'all'}.json"


def _list_names() -> str:
    return ", ".join(_spell(name, PARTS) for name in FOLDERS)


def _spell(name: str, parts: Sequence[str]) -> str:
    return f"{name}[:{'|'.join(parts)}]"
