"""JSON as pieces of text, so that a document of a million items is never whole in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True, slots=True)
class LazyRows:
    """Objects of a list, each made when it is written."""

    make: Callable[[], Iterable[Mapping[str, object]]]


Placed = tuple[LazyRows, int]
"""Rows, and the depth of the line that their list begins in."""


def iterate_json(value: object, depth: int = 0) -> Iterator[str]:
    """Writes a value as `json.dumps` does with an indent of 1: pure ASCII, NaN refused.

    Everything but rows is written before the first piece comes, so that what cannot be written
    is found before a file is begun.

    Args:
        value: what JSON has; also `LazyRows`, below objects and lists alone.
        depth: spaces in front of the line that the value begins in.

    Raises:
        ValueError: a number is NaN or infinite.
    """
    pieces = list(_split(value, depth))
    for piece in pieces:
        if isinstance(piece, str):
            yield piece
        else:
            yield from _iterate_rows(*piece)


def _split(value: object, depth: int) -> Iterator[str | Placed]:
    """Writes everything but rows, which stay as they are."""
    if isinstance(value, LazyRows):
        yield value, depth
    elif _holds_rows(value):
        inner = f"\n{' ' * (depth + 1)}"
        named = isinstance(value, Mapping)
        yield "{" if named else "["
        for place, (name, held) in enumerate(_list_members(value)):
            yield f"{',' if place else ''}{inner}{f'{_dump(name)}: ' if named else ''}"
            yield from _split(held, depth + 1)
        yield f"\n{' ' * depth}{'}' if named else ']'}"
    else:
        yield _dump(value).replace("\n", f"\n{' ' * depth}")


def _list_members(value: object) -> Iterable[tuple[object, object]]:
    if isinstance(value, Mapping):
        return cast("Mapping[object, object]", value).items()
    return enumerate(cast("list[object]", value))


def _holds_rows(value: object) -> bool:
    if not isinstance(value, (Mapping, list)):
        return isinstance(value, LazyRows)
    return any(_holds_rows(held) for _, held in _list_members(value))


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, allow_nan=False, indent=1)


def _iterate_rows(rows: LazyRows, depth: int) -> Iterator[str]:
    inner, last = f"\n{' ' * (depth + 1)}", f"\n{' ' * depth}"
    write = _make_row_writer(depth + 1)
    before = "["
    for row in rows.make():
        yield f"{before}{inner}{write(row)}"
        before = ","
    yield "[]" if before == "[" else f"{last}]"


def _make_row_writer(depth: int) -> Callable[[Mapping[str, object]], str]:
    """Makes a function that writes objects which begin at a depth.

    An indent makes `json` write in Python. An object that holds no other one has the same text if
    its line ends are written as separators, ten times as fast.
    """
    inner, last = f"\n{' ' * (depth + 1)}", f"\n{' ' * depth}"
    encode = json.JSONEncoder(
        ensure_ascii=True, allow_nan=False, separators=(f",{inner}", ": ")
    ).encode

    def write(row: Mapping[str, object]) -> str:
        if not row or any(isinstance(held, (list, dict)) for held in row.values()):
            return _dump(row).replace("\n", last)
        return f"{{{inner}{encode(row)[1:-1]}{last}}}"

    return write
