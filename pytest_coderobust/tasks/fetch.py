"""Fetches a named data set from the hub into the cache, verified, once.

The hub keeps these data sets as Parquet, which needs the extra `hub` to be read; a mirror that
keeps JSONL, JSON or CSV needs nothing. Either way the rows are stored as JSONL, so that reading
tasks later needs no library, with a checksum beside them that every later use verifies.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import cast
from urllib.parse import quote, urlsplit

from filelock import FileLock

from pytest_coderobust.errors import DataError, UnknownName, UsageError
from pytest_coderobust.tasks import catalogue
from pytest_coderobust.tasks.catalogue import DATA_SETS, DataSet, HubFiles
from pytest_coderobust.tasks.checksum import record, recorded, replace, sha256
from pytest_coderobust.tasks.download import Progress, RemoteFile, download, read_url
from pytest_coderobust.tasks.parquet import require_parquet
from pytest_coderobust.tasks.rows import SUFFIXES, DataRow, read_rows

ENDPOINT_VARIABLE = "HF_ENDPOINT"
DEFAULT_ENDPOINT = "https://huggingface.co"


def fetch(
    name: str,
    *,
    endpoint: str | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """The cached file of a data set, downloaded first where it is not there or was damaged.

    Args:
        endpoint: the hub's address; by default `HF_ENDPOINT`, else the public hub.
        cache: the folder to keep it in; by default where `load_tasks` looks.
        progress: told of every chunk that arrives.

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
            _fetch(name, data_set, _endpoint(endpoint), target, progress or _silent)
    return target


def _is_there(target: Path) -> bool:
    return target.is_file() and recorded(target) == sha256(target)


def _endpoint(given: str | None) -> str:
    endpoint = (given or os.environ.get(ENDPOINT_VARIABLE) or DEFAULT_ENDPOINT).rstrip("/")
    if urlsplit(endpoint).scheme not in ("http", "https") or not urlsplit(endpoint).netloc:
        raise UsageError(f"the hub's address {endpoint!r} must start with http:// or https://")
    return endpoint


def _silent(_path: str, _here: int, _size: int) -> None:
    return None


def _fetch(name: str, data_set: DataSet, endpoint: str, target: Path, progress: Progress) -> None:
    assert data_set.hub is not None
    files = _listed(data_set.hub, endpoint)
    if any(file.path.endswith(".parquet") for file in files):
        require_parquet(f"fetching {name!r} (the hub keeps it as Parquet)")
    rows: list[DataRow] = []
    parts: list[Path] = []
    for file in files:
        part = target.with_name(_part(file))
        download(file, part, progress)
        parts.append(part)
        rows.extend(read_rows(part))
    if data_set.hub.rows not in (None, len(rows)):
        raise DataError(
            f"{endpoint}: {data_set.hub.repository} has {len(rows)} rows "
            f"where {name!r} has {data_set.hub.rows}"
        )
    data = _jsonl(rows)
    record(target, hashlib.sha256(data).hexdigest())
    replace(target, data)
    for part in parts:
        part.unlink()


def _part(file: RemoteFile) -> str:
    """A name for a download that no other file or version shares, whatever its path."""
    key = f"{file.url} {file.sha256} {file.git_blob}"
    suffix = "".join(s for s in Path(file.path).suffixes if s in (*SUFFIXES, ".gz"))
    return f".part-{hashlib.sha256(key.encode()).hexdigest()[:16]}{suffix}"


def _jsonl(rows: Sequence[DataRow]) -> bytes:
    ordered = sorted(rows, key=_order)
    lines = [json.dumps(row.values, ensure_ascii=True) + "\n" for row in ordered]
    return gzip.compress("".join(lines).encode("ascii"), mtime=0)


def _order(row: DataRow) -> tuple[int, str]:
    """By task number: the hub keeps MBPP in four splits."""
    identifier = row.identifier("task_id")
    number = identifier.rpartition("/")[2]
    return (int(number) if number.isdecimal() else 0, identifier)


def _listed(hub: HubFiles, endpoint: str) -> list[RemoteFile]:
    """The files of the data set, with what the hub says about their bytes."""
    url = f"{endpoint}/api/datasets/{hub.repository}/tree/main?recursive=true"
    try:
        listing: object = json.loads(read_url(url))
    except ValueError:
        raise DataError(f"{url}: the answer is no list of files") from None
    if not isinstance(listing, list):
        raise DataError(f"{url}: the answer is no list of files")
    entries = [entry for entry in cast("list[object]", listing) if isinstance(entry, dict)]
    files = [_remote(cast("dict[str, object]", e), hub, endpoint) for e in entries]
    wanted = [f for f in files if fnmatchcase(f.path, hub.pattern) and _readable(f.path)]
    if not wanted:
        raise DataError(f"{url}: there is no file {hub.pattern!r} that can be read")
    return sorted(wanted, key=lambda file: file.path)


def _readable(path: str) -> bool:
    return path.removesuffix(".gz").endswith(SUFFIXES)


def _remote(entry: dict[str, object], hub: HubFiles, endpoint: str) -> RemoteFile:
    path, size, lfs = entry.get("path"), entry.get("size"), entry.get("lfs")
    stored = cast("dict[str, object]", lfs) if isinstance(lfs, dict) else {}
    size = stored.get("size", size)
    return RemoteFile(
        path=str(path),
        url=f"{endpoint}/datasets/{hub.repository}/resolve/main/{quote(str(path))}",
        size=size if isinstance(size, int) else 0,
        sha256=str(stored.get("oid", "")),
        git_blob="" if stored else str(entry.get("oid", "")),
    )
