"""Rows that installed packages add to our registries by entry points.

A registry is a mapping of names to rows, such as the editors or the report formats. A package
extends it in its pyproject.toml; the name is the row's name and the object is the row:

    [project.entry-points."coderobust.editors"]
    ours = "our_package.editor:ROW"

The groups are `coderobust.editors`, `coderobust.backends`, `coderobust.shapes` and
`coderobust.formats`. Names are read without an import; a row is imported when it is asked for,
so that a broken package stops nobody who does not use it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from pytest_coderobust.errors import UsageError

T = TypeVar("T")


def read_rows(group: str, kind: type[T], own: Mapping[str, T]) -> Mapping[str, T]:
    """Reads the rows of a registry: our own, then those of installed packages, by name.

    Listing the names imports nothing. `rows[name]`, `values()` and `items()` import the packages'
    rows and raise UsageError, naming the distribution, where a row cannot be imported, is not a
    `kind`, or has a name that we or another package use as well.

    Args:
        group: the entry-point group, "coderobust.editors" for one.
        kind: the class of every row.
        own: the rows that come with this package, in their order.
    """
    return _Rows(group, kind, own)


class _Rows(Mapping[str, T], Generic[T]):
    """Our rows and those of installed packages, which are imported when they are asked for."""

    def __init__(self, group: str, kind: type[T], own: Mapping[str, T]) -> None:
        self._group = group
        self._kind = kind
        self._own = own

    def __getitem__(self, name: str) -> T:
        points = _entry_points(self._group, tuple(sys.path)).get(name, ())
        owners = ["pytest-coderobust"] * (name in self._own) + [_owner(point) for point in points]
        if len(owners) > 1:
            raise UsageError(
                f"{self._group}: the name {name!r} is used by both {owners[0]} and {owners[1]}; "
                "uninstall one of them"
            )
        return self._load(points[0]) if points else self._own[name]

    def __iter__(self) -> Iterator[str]:
        found = _entry_points(self._group, tuple(sys.path))
        yield from self._own
        yield from (name for name in found if name not in self._own)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in _entry_points(self._group, tuple(sys.path))

    def _load(self, point: EntryPoint) -> T:
        what = f"{self._group}: {point.name!r} of the package {_owner(point)} ({point.value})"
        try:
            row: object = point.load()
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise UsageError(f"{what} cannot be imported: {reason}") from error
        if not isinstance(row, self._kind):
            found = f"a {type(row).__name__} was found"
            raise UsageError(f"{what} is not a {self._kind.__name__}; {found}")
        return row


@cache
def _entry_points(group: str, path: tuple[str, ...]) -> Mapping[str, tuple[EntryPoint, ...]]:
    """Reads a group's entry points by name; a changed import path (`path`) reads them anew."""
    del path  # the key of the cache only: importlib.metadata reads sys.path itself
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in sorted(entry_points(group=group), key=lambda point: (point.name, _owner(point))):
        found[point.name] = (*found.get(point.name, ()), point)
    return found


def _owner(point: EntryPoint) -> str:
    """The name of the distribution that brings an entry point."""
    return point.dist.name if point.dist is not None else "an unknown package"
