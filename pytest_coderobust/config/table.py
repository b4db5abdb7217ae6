"""One TOML table, read key by key; errors name file, section, key, value and the nearest choice."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar, cast

from pytest_coderobust.errors import ConfigError, nearest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")


def read_toml(path: Path) -> dict[str, object]:
    """Reads a TOML file.

    Raises:
        ConfigError: the file is missing, not UTF-8, or malformed (the message has the line).
    """
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


class Table:
    """A section under validation: take every known key, then call `finish`."""

    def __init__(self, values: Mapping[str, object], section: str, file: Path | str) -> None:
        self._values = values
        self._taken: set[str] = set()
        self._section = section
        self._file = file
        self._where = f"{file}: [{section}]" if section else f"{file}:"

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def allow(self, *keys: str) -> None:
        """Makes keys known that are read only where they stand."""
        self._taken.update(keys)

    def error(self, key: str, problem: str) -> ConfigError:
        """Makes a ConfigError about `key` that shows its value."""
        shown = f" = {self._values[key]!r}" if key in self._values else ""
        return ConfigError(f"{self._where} {key}{shown}: {problem}")

    def place(self, key: str) -> str:
        """File, section and key, to begin an error with."""
        return f"{self._where} {key}:"

    def text(self, key: str, default: str) -> str:
        return self._take(key, default, str, "a string")

    def boolean(self, key: str, *, default: bool) -> bool:
        return self._take(key, default, bool, "true or false")

    def integer(
        self, key: str, default: int, *, least: int | None = None, most: int | None = None
    ) -> int:
        value = self._take(key, default, int, "a whole number")
        if least is not None and value < least:
            raise self.error(key, f"must be at least {least}")
        if most is not None and value > most:
            raise self.error(key, f"must be at most {most}")
        return value

    def is_integer(self, key: str) -> bool:
        """Tells whether the value is a whole number, for keys that take a number or a list."""
        return key in self._values and _is(self._values[key], int)

    def number(self, key: str, default: float, *, least: float, most: float) -> float:
        value = self._take(key, default, (int, float), "a number")
        if not least <= value <= most:
            raise self.error(key, f"must lie between {least:g} and {most:g}")
        return float(value)

    def choice(self, key: str, default: str, choices: Iterable[str]) -> str:
        value = self.text(key, default)
        known = tuple(choices)
        if value not in known:
            raise self.error(key, f"not a valid choice{nearest(value, known)}")
        return value

    def texts(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """A list of strings; one string alone counts as a list of one."""
        value = self._values.get(key)
        if isinstance(value, str):
            self._taken.add(key)
            return (value,)
        return self._list(key, default, str, "a list of strings")

    def integers(self, key: str, default: Sequence[int]) -> tuple[int, ...]:
        return self._list(key, default, int, "a list of whole numbers")

    def items(self, key: str) -> tuple[object, ...]:
        """A list whose elements the caller validates."""
        return self._list(key, (), object, "a list")

    def table(self, key: str) -> Table:
        """A nested table, empty where absent."""
        values = cast("dict[str, object]", self._take(key, {}, dict, "a table"))
        section = f"{self._section}.{key}" if self._section else key
        return Table(values, section, self._file)

    def values(self) -> Iterable[tuple[str, object]]:
        """Every key with its value, which the caller validates."""
        self._taken.update(self._values)
        return self._values.items()

    def tables(self) -> Iterable[tuple[str, Table]]:
        """Every key as a nested table, for sections whose keys are the user's own names."""
        for key in self._values:
            yield key, self.table(key)

    def finish(self) -> None:
        """Refuses keys that were not read."""
        for key in self._values:
            if key not in self._taken:
                noun = "key" if self._section else "section"
                raise ConfigError(
                    f"{self._where} unknown {noun} {key!r}{nearest(key, self._taken)}"
                )

    def _take(self, key: str, default: T, kind: type | tuple[type, ...], expected: str) -> T:
        self._taken.add(key)
        if key not in self._values:
            return default
        value = self._values[key]
        if not _is(value, kind):
            raise self.error(key, f"must be {expected}")
        return cast("T", value)

    def _list(self, key: str, default: Sequence[T], kind: type[T], expected: str) -> tuple[T, ...]:
        values: object = self._take(key, list(default), list, expected)
        assert isinstance(values, list)
        elements = cast("list[object]", values)
        if not all(_is(element, kind) for element in elements):
            raise self.error(key, f"must be {expected}")
        return tuple(cast("list[T]", elements))


def _is(value: object, kind: type | tuple[type, ...]) -> bool:
    """Does as isinstance, but true is not a number: `seeds = true` is a mistake."""
    if isinstance(value, bool):
        return kind in (bool, object)
    return isinstance(value, kind)


def check_unique(table: Table, key: str, values: Sequence[object]) -> None:
    """Refuses a list that names something twice."""
    seen: set[object] = set()
    for value in values:
        if value in seen:
            raise table.error(key, f"{value} is listed twice")
        seen.add(value)
