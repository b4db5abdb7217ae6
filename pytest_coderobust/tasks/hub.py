"""Rows of a data set on the hub, through the library `datasets` (optional extra `hub`)."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

from pytest_coderobust.errors import DataError, MissingExtra, UsageError, nearest
from pytest_coderobust.tasks.rows import DataRow

HUB_PREFIX = "hub:"
_SOURCE = re.compile(r"hub:(?P<name>\w[\w.-]*/\w[\w.-]*)(?:/(?P<split>\w[\w.-]*))?")


def read_hub_rows(source: str) -> tuple[DataRow, ...]:
    """Reads every row of "hub:ORG/NAME[/split]"; the split defaults to the only one, or to "test".

    Raises:
        UsageError: the source is written otherwise.
        MissingExtra: the library is not installed.
        DataError: the data set, or that split of it, cannot be had.
    """
    parts = _SOURCE.fullmatch(source)
    if parts is None:
        raise UsageError(f"{source!r} is not of the form 'hub:ORG/NAME' or 'hub:ORG/NAME/split'")
    try:
        library = import_module("datasets")
    except ImportError:
        raise MissingExtra(f"the task source {source!r}", "hub") from None
    split = _split(library, parts["name"], parts["split"], source)
    rows = tuple(DataRow(dict(row), f"{source}, row {i}") for i, row in enumerate(split, start=1))
    if not rows:
        raise DataError(f"{source}: the data set has no rows")
    return rows


def _split(library: Any, name: str, split: str | None, source: str) -> Any:
    try:
        splits = library.load_dataset(name)
    except (OSError, ValueError, RuntimeError) as error:  # what `datasets` raises for all causes
        reason = " ".join(str(error).split())[:300]
        raise DataError(f"{source}: the data set cannot be loaded ({reason})") from None
    if split is None:
        split = next(iter(splits)) if len(splits) == 1 else "test"
    if split not in splits:
        raise DataError(f"{source}: the data set has no split {split!r}{nearest(split, splits)}")
    return splits[split]
