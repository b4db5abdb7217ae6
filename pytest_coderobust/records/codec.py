"""Frozen records as JSON values and back, by their types: a field that is added needs no code here.

Only what `records` are made of is known: dataclasses, enumerations, tuples, mappings of text,
optional values, text, numbers and booleans. Nothing is imported or called by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def revived(kind: type[T], value: object) -> T:
    """The record of a type that `plain` was made from.

    Raises:
        TypeError, ValueError: the value has another shape.
    """
    return cast("T", _revived(kind, value))


def plain(value: Any) -> Any:
    """A record as what JSON can say."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {name: plain(held) for name, held in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(held) for held in value]
    return value


def _revived(kind: Any, value: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        return _revived(next(a for a in arguments if a is not NoneType), value)
    if origin is Literal:
        return value
    if origin is tuple:
        kinds = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(_revived(*pair) for pair in zip(kinds, value, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return {name: _revived(arguments[1], held) for name, held in value.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _revived(hints[name], held) for name, held in value.items()})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if not isinstance(value, (float, int) if kind is float else kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


@lru_cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
