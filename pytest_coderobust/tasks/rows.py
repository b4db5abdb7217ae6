"""Rows of a JSONL, JSON, CSV, TOML or Parquet file, each with its place for error messages."""

from __future__ import annotations

import ast
import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pytest_coderobust.errors import DataError, nearest
from pytest_coderobust.files import LFS_HEAD, explain_json_error, explain_lfs_pointer, is_gzip
from pytest_coderobust.tasks.parquet import read_parquet

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover - Python 3.10
    import tomli as tomllib

SUFFIXES = (".jsonl", ".json", ".csv", ".toml", ".parquet")
_MAX_FIELD = 1 << 27
"""Characters of one CSV field; the csv module's own limit of 131,072 is too low for tests."""


class EmptyFileError(DataError):
    """A data file without any row; the release of a data set may hold one."""


@dataclass(frozen=True, slots=True)
class DataRow:
    """One row of a data file.

    Attributes:
        where: the place as a message says it: "tasks.jsonl, line 3".
    """

    values: Mapping[str, object]
    where: str

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def error(self, message: str) -> DataError:
        """Makes a DataError about this row."""
        return DataError(f"{self.where}: {message}")

    def text(self, key: str) -> str:
        """Returns the string under `key`.

        Raises:
            DataError: it is missing, or is not a string.
        """
        if key not in self.values:
            known = (name for name in self.values if name in self)
            raise self.error(f"the key {key!r} is missing{_nearest(key, known)}")
        value = self.values[key]
        if not isinstance(value, str):
            raise self.error(f"{key!r} must be a string, not {_kind(value)}")
        return value

    def optional_text(self, key: str) -> str | None:
        """Returns the string under `key`, or None where the row has none."""
        return self.text(key) if key in self else None

    def texts(self, key: str) -> tuple[str, ...]:
        """Returns the strings under `key`: a list, or a list written as text as in CSV files."""
        if key not in self:
            return ()
        value = self.values[key]
        if isinstance(value, str):
            value = self._written_list(key, value)
        if not isinstance(value, list):
            raise self.error(f"{key!r} must be a list of strings, not {_kind(value)}")
        items = cast("list[object]", value)
        for item in items:
            if not isinstance(item, str):
                raise self.error(f"{key!r} must hold strings only, not {_kind(item)}")
        return tuple(cast("list[str]", items))

    def identifier(self, key: str) -> str:
        """Returns the id under `key`: a string, or a whole number as MBPP has it."""
        value = self.values.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.text(key)

    def _written_list(self, key: str, text: str) -> object:
        try:
            return cast("object", ast.literal_eval(text))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise self.error(f"{key!r} is not a list of strings: {text[:60]!r}") from None


def read_rows(path: Path) -> tuple[DataRow, ...]:
    """Reads every row of a data file, in order.

    Raises:
        DataError: the file is missing, empty, undecodable or malformed, or has an extension
            of no known format.
        MissingExtra: it is Parquet, and the library that reads it is not installed.
    """
    _refuse_pointer(path)
    if path.suffix.lower() == ".parquet":
        found = enumerate(read_parquet(path), start=1)
        rows = tuple(DataRow(row, f"{path.name}, row {number}") for number, row in found)
    else:
        parse = _parser(path)
        text = _text(path)
        if not text.strip():
            raise EmptyFileError(f"{path}: the file is empty")
        rows = tuple(parse(text, path.name))
    if not rows:
        raise EmptyFileError(f"{path}: the file has no rows")
    return rows


def _parser(path: Path) -> Callable[[str, str], Iterator[DataRow]]:
    suffixes = path.suffixes
    if suffixes and suffixes[-1].lower() == ".gz":
        suffixes = suffixes[:-1]
    suffix = suffixes[-1].lower() if suffixes else ""
    parsers = {".jsonl": _jsonl, ".json": _json, ".csv": _csv, ".toml": _toml}
    if suffix not in parsers:
        raise DataError(
            f"{path}: the file extension {suffix!r} is not one of {', '.join(SUFFIXES)} "
            "(each but the last may be followed by .gz)"
        )
    return parsers[suffix]


def _refuse_pointer(path: Path) -> None:
    with suppress(OSError), path.open("rb") as file:  # a missing file is the reader's to name
        if problem := explain_lfs_pointer(file.read(len(LFS_HEAD)), "the data"):
            raise DataError(f"{path}: {problem}")


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if path.suffix.lower() == ".gz" or is_gzip(data):
            data = gzip.decompress(data)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: the file is not a complete gzip file ({error})") from None
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error.strerror})") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path.name}, line {line}: the file is not UTF-8 text "
            f"(byte 0x{data[error.start]:02x} at offset {error.start})"
        ) from None


def _jsonl(text: str, name: str) -> Iterator[DataRow]:
    # not splitlines(): a JSON string may hold U+2028 and its like unescaped
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            where = f"{name}, line {number}"
            yield DataRow(_mapping(_json_value(line, where), where), where)


def _json(text: str, name: str) -> Iterator[DataRow]:
    value = _json_value(text, name)
    if not isinstance(value, list):
        raise DataError(f"{name}: expected a list of tasks, not {_kind(value)}")
    for number, item in enumerate(cast("list[object]", value), start=1):
        where = f"{name}, item {number}"
        yield DataRow(_mapping(item, where), where)


def _json_value(text: str, where: str) -> object:
    try:
        return cast("object", json.loads(text))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: malformed JSON: {explain_json_error(error)}") from None


def _mapping(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise DataError(f"{where}: expected an object with keys, not {_kind(value)}")
    return cast("dict[str, object]", value)


def _csv(text: str, name: str) -> Iterator[DataRow]:
    limit = csv.field_size_limit(_MAX_FIELD)
    start = 1
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        header: list[str] = []
        for fields in reader:
            where = f"{name}, line {start}"
            start = reader.line_num + 1
            if not any(field.strip() for field in fields):
                continue
            if not header:
                header = fields
                continue
            if len(fields) != len(header):
                raise DataError(
                    f"{where}: {len(fields)} fields where the header names {len(header)}"
                )
            yield DataRow(dict(zip(header, fields, strict=True)), where)
    except csv.Error as error:
        raise DataError(f"{name}, line {start}: malformed CSV: {error}") from None
    finally:
        csv.field_size_limit(limit)


def _toml(text: str, name: str) -> Iterator[DataRow]:
    try:
        document = cast("dict[str, object]", tomllib.loads(text))
    except (ValueError, RecursionError) as error:  # its message has line and column
        raise DataError(f"{name}: malformed TOML: {error}") from None
    tables = document.get("task")
    if not isinstance(tables, list):
        raise DataError(f"{name}: expected [[task]] tables{_nearest('task', document)}")
    for number, item in enumerate(cast("list[object]", tables), start=1):
        where = f"{name}, [[task]] {number}"
        yield DataRow(_mapping(item, where), where)


def _nearest(key: str, known: Iterable[str]) -> str:
    """The hint of a message, without keys that would spoil the terminal."""
    return nearest(key, (name for name in known if name.isprintable()))


def _kind(value: object) -> str:
    if value is None:
        return "null"
    for kind, noun in ((dict, "an object"), (list, "a list"), (str, "a string")):
        if isinstance(value, kind):
            return noun
    return "true or false" if isinstance(value, bool) else f"{type(value).__name__} {value!r}"[:60]
