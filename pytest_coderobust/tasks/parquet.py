"""Rows of a Parquet file, the hub's form of data sets; reading it needs the extra `hub`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from pytest_coderobust.errors import DataError, MissingExtra


def require_parquet(what: str) -> Any:
    """Imports the module `pyarrow.parquet`.

    Raises:
        MissingExtra: it is not installed; `what` names the action that needs it.
    """
    try:
        return import_module("pyarrow.parquet")
    except ImportError:
        raise MissingExtra(what, "hub") from None


def read_parquet(path: Path) -> list[dict[str, object]]:
    """Reads every row, in order.

    Raises:
        MissingExtra: the library that reads Parquet is not installed.
        DataError: the file is missing or is not Parquet.
    """
    library = require_parquet(f"reading the Parquet file {path.name}")
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        rows: list[dict[str, object]] = library.read_table(path).to_pylist()
    except (ValueError, OSError) as error:  # pyarrow's own errors are of these two
        raise DataError(
            f"{path}: the file is not valid Parquet ({str(error).splitlines()[0]})"
        ) from None
    return rows
