"""Registry of the data sets that have a name here, and of the places where their files are.

A data set is one row of `DATA_SETS`: its file names below `CODEROBUST_DATA` and below the cache,
and its files on the hub, from which `coderobust fetch` fills the cache. docs/tasks.md lists the
rows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import platformdirs

from pytest_coderobust.errors import DataError
from pytest_coderobust.tasks.checksum import checksum_path, read_checksum, sha256

DATA_VARIABLE = "CODEROBUST_DATA"


@dataclass(frozen=True, slots=True)
class HubFiles:
    """Files of a data set on the hub.

    Attributes:
        repository: "ORG/NAME" of a data set repository.
        pattern: a pattern of `fnmatch` that its files match.
        rows: the number of rows in all of them together; None where releases differ.
    """

    repository: str
    pattern: str
    rows: int | None


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set that has a name here.

    Attributes:
        folder: its folder below a data folder.
        names: the names of its file; the first is that of `coderobust fetch`, the others are
            those of the official releases.
        hub: where to fetch it from; None where it comes with the package.
    """

    folder: str
    names: tuple[str, ...]
    hub: HubFiles | None = None


DATA_SETS: Mapping[str, DataSet] = MappingProxyType(
    {
        "humaneval": DataSet(
            "humaneval",
            ("HumanEval.jsonl.gz", "HumanEval.jsonl"),
            HubFiles("openai/openai_humaneval", "openai_humaneval/test*", 164),
        ),
        "mbpp": DataSet(
            "mbpp",
            (
                "mbpp_sanitized.jsonl.gz",
                "sanitized-mbpp.json",
                "mbpp_sanitized.csv.gz",
                "mbpp_sanitized.csv",
            ),
            HubFiles("google-research-datasets/mbpp", "sanitized/*", 427),
        ),
        "mbpp-full": DataSet(
            "mbpp",
            ("mbpp.jsonl.gz", "mbpp.jsonl"),
            HubFiles("google-research-datasets/mbpp", "full/*", 974),
        ),
        "humaneval+": DataSet(
            "humaneval+",
            ("HumanEvalPlus.jsonl.gz", "HumanEvalPlus.jsonl"),
            HubFiles("evalplus/humanevalplus", "data/test*", 164),
        ),
        "mbpp+": DataSet(
            "mbpp+",
            ("MbppPlus.jsonl.gz", "MbppPlus.jsonl"),
            HubFiles("evalplus/mbppplus", "data/test*", None),
        ),
        "humaneval-cpp": DataSet(
            "humaneval_x",
            ("humaneval_cpp.jsonl.gz", "humaneval_cpp.jsonl"),
            HubFiles("THUDM/humaneval-x", "data/cpp/data/*", 164),
        ),
        "humaneval-java": DataSet(
            "humaneval_x",
            ("humaneval_java.jsonl.gz", "humaneval_java.jsonl"),
            HubFiles("THUDM/humaneval-x", "data/java/data/*", 164),
        ),
        "quickstart": DataSet("", ("quickstart.jsonl",)),
    }
)


def cache_folder() -> Path:
    """The folder of fetched data sets."""
    return platformdirs.user_cache_path("pytest-coderobust") / "datasets"


def locate(name: str) -> Path:
    """Finds the file of a named data set.

    Raises:
        DataError: it is in no place, or was damaged; the message says how to get it.
    """
    data_set = DATA_SETS[name]
    for path in _candidates(data_set):
        if path.is_file():
            _verify(path, name)
            return path
    raise DataError(_advice(name, data_set))


def data_folder() -> Path | None:
    """The folder that `CODEROBUST_DATA` names, or None."""
    named = os.environ.get(DATA_VARIABLE, "")
    return Path(named) if named else None


def _verify(path: Path, name: str) -> None:
    """Refuses a fetched file that has changed; other files have no checksum."""
    noted = read_checksum(path)
    if noted is not None and noted != sha256(path):
        raise DataError(
            f"{path}: the file does not match the checksum beside it; "
            f"run `coderobust fetch {name}` again, or delete {checksum_path(path).name}"
        )


def _candidates(data_set: DataSet) -> Iterator[Path]:
    if data_set.hub is None:
        bundled = files("pytest_coderobust") / "tiny"
        yield from (Path(str(bundled / name)) for name in data_set.names)
        return
    folders = [folder for folder in (data_folder(), cache_folder()) if folder]
    for folder in folders:
        for name in data_set.names:
            yield folder / data_set.folder / name
            yield folder / name


def _advice(name: str, data_set: DataSet) -> str:
    if data_set.hub is None:
        return f"the data set {name!r} is missing from this installation; reinstall the package"
    example = f"{data_set.folder}/{data_set.names[1]}"
    folder = data_folder()
    looked = f"{folder} ({DATA_VARIABLE})" if folder else f"{DATA_VARIABLE} (not set)"
    return (
        f"the data set {name!r} is neither in {looked} nor in {cache_folder()}; "
        f"run `coderobust fetch {name}`, or set {DATA_VARIABLE} to a folder that has "
        f"{example}, or give the path of a file"
    )
