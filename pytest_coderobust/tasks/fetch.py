"""Fetches a named data set from the hub into the cache, verified, once.

The hub keeps these data sets as Parquet, which needs the extra `hub` to be read; a mirror that
keeps JSONL, JSON or CSV needs nothing. Either way the rows are stored as JSONL, so that reading
tasks later needs no library, with a checksum beside them that every later use verifies.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from filelock import FileLock

from pytest_coderobust.errors import DataError, UnknownName
from pytest_coderobust.files import replace_file
from pytest_coderobust.tasks import catalogue
from pytest_coderobust.tasks.catalogue import DATA_SETS, HubFiles
from pytest_coderobust.tasks.checksum import read_checksum, sha256, write_checksum
from pytest_coderobust.tasks.hub_files import HubFile, HubRepository, open_repository
from pytest_coderobust.tasks.parquet import require_parquet
from pytest_coderobust.tasks.rows import SUFFIXES, DataRow, read_rows


def fetch(name: str, *, endpoint: str | None = None, cache: Path | None = None) -> Path:
    """Returns the cached file of a data set, downloaded first where it is missing or damaged.

    Args:
        endpoint: the hub's address; by default `HF_ENDPOINT`, else the public hub.
        cache: the folder to keep it in; by default where `load_tasks` looks.

    Raises:
        UnknownName: there is no such data set.
        MissingExtra: the files are Parquet, and the library that reads it is not installed.
        DataError: the data cannot be downloaded or are not what was announced.
    """
    if name not in DATA_SETS:
        raise UnknownName("data set", name, DATA_SETS)
    data_set = DATA_SETS[name]
    if data_set.hub is None:
        return catalogue.locate(name)
    target = (cache or catalogue.cache_folder()) / data_set.folder / data_set.names[0]
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_name(f".{target.name}.lock")):
        if not _is_there(target):
            _fetch(name, data_set.hub, open_repository(data_set.hub.repository, endpoint), target)
    return target


def _is_there(target: Path) -> bool:
    return target.is_file() and read_checksum(target) == sha256(target)


def _fetch(name: str, hub: HubFiles, repository: HubRepository, target: Path) -> None:
    files = _wanted(hub, repository)
    if any(file.path.endswith(".parquet") for file in files):
        require_parquet(f"fetching {name!r} (the hub keeps it as Parquet)")
    # kept when a download fails: the next fetch takes up what is here
    folder = target.with_name(f".{target.name}.download")
    rows: list[DataRow] = []
    for file in files:
        rows.extend(read_rows(repository.download(file, folder)))
    if hub.rows not in (None, len(rows)):
        raise DataError(f"{repository}: there are {len(rows)} rows where {name!r} has {hub.rows}")
    data = _jsonl(rows)
    write_checksum(target, hashlib.sha256(data).hexdigest())
    replace_file(target, data)
    shutil.rmtree(folder)


def _wanted(hub: HubFiles, repository: HubRepository) -> list[HubFile]:
    """The files of the repository that belong to the data set."""
    files = repository.files()
    wanted = [f for f in files if fnmatchcase(f.path, hub.pattern) and _readable(f.path)]
    if not wanted:
        raise DataError(f"{repository}: there is no file {hub.pattern!r} that can be read")
    return wanted


def _readable(path: str) -> bool:
    return path.removesuffix(".gz").endswith(SUFFIXES)


def _jsonl(rows: Sequence[DataRow]) -> bytes:
    ordered = sorted(rows, key=_order)
    lines = [json.dumps(row.values, ensure_ascii=True) + "\n" for row in ordered]
    return gzip.compress("".join(lines).encode("ascii"), mtime=0)


def _order(row: DataRow) -> tuple[int, str]:
    """The sorting key of a row: its task's number, since the hub keeps MBPP in four splits."""
    identifier = row.identifier("task_id")
    number = identifier.rpartition("/")[2]
    return (int(number) if number.isdecimal() else 0, identifier)
