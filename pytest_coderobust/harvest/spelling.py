"""Plain values as Python source: what a harvested test says of arguments and results.

Values come tagged, as the wire of the sandbox has them. Sets are written in one order, whatever
the hash seed of the process was that saw them. An iterator is written as the list of its items.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

IMPORTS = {
    "deque": "from collections import deque",
    "decimal": "from decimal import Decimal",
    "fraction": "from fractions import Fraction",
}
"""Import that a test needs for values of a tag."""


class UnwritableError(Exception):
    """A value has no source: it is not plain data."""


def write_value(tagged: Any) -> str:
    """Writes a tagged value as a Python expression.

    Raises:
        UnwritableError: it is not plain data.
    """
    if isinstance(tagged, list):
        return f"[{_join(tagged)}]"
    if not isinstance(tagged, dict):
        return _write_plain(tagged)
    ((tag, body),) = tagged.items()
    write = _WRITERS.get(tag)
    if write is None:
        raise UnwritableError(f"a value of type {body if tag == 'opaque' else tag}")
    return write(body)


def list_imports(source: str) -> list[str]:
    """Lists the imports that written values need."""
    names = {"deque(": "deque", "Decimal(": "decimal", "Fraction(": "fraction"}
    return [IMPORTS[tag] for mark, tag in names.items() if mark in source]


def holds_iterator(tagged: Any) -> bool:
    """Whether a tagged value has an iterator in it."""
    if isinstance(tagged, list):
        return any(map(holds_iterator, tagged))
    if isinstance(tagged, dict):
        return "iter" in tagged or any(map(holds_iterator, tagged.values()))
    return False


def _write_plain(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    return repr(value)


def _join(items: list[Any]) -> str:
    return ", ".join(map(write_value, items))


def _write_tuple(body: list[Any]) -> str:
    return f"({_join(body)},)" if len(body) == 1 else f"({_join(body)})"


def _write_set(body: list[Any]) -> str:
    return f"{{{', '.join(sorted(map(write_value, body)))}}}" if body else "set()"


def _write_dict(body: list[Any]) -> str:
    return f"{{{', '.join(f'{write_value(key)}: {write_value(item)}' for key, item in body)}}}"


def _write_complex(body: list[Any]) -> str:
    return f"complex({_join(body)})"


def _write_fraction(body: list[str]) -> str:
    return f"Fraction({int(body[0], 16)}, {int(body[1], 16)})"


_WRITERS: dict[str, Callable[[Any], str]] = {
    "int": lambda body: str(int(body, 16)),
    "tuple": _write_tuple,
    "set": _write_set,
    "frozenset": lambda body: f"frozenset({_write_set(body) if body else ''})",
    "iter": lambda body: f"[{_join(body)}]",
    "deque": lambda body: f"deque([{_join(body)}])",
    "dict": _write_dict,
    "bytes": lambda body: repr(bytes.fromhex(body)),
    "bytearray": lambda body: f"bytearray({bytes.fromhex(body)!r})",
    "complex": _write_complex,
    "range": lambda body: f"range({_join(body)})",
    "slice": lambda body: f"slice({_join(body)})",
    "decimal": lambda body: f"Decimal({body!r})",
    "fraction": _write_fraction,
    "type": str,
    "ellipsis": lambda _body: "...",
}
"""By tag. Views of dictionaries and what cannot leave its process have no source."""
