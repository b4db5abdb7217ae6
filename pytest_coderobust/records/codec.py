"""Frozen records as JSON values and back, by their types: a field that is added needs no code here.

Only the parts of records are known: dataclasses, enumerations, tuples, mappings of text,
optional values, text, numbers and booleans. Nothing is imported or called by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

T = TypeVar("T")
LATER = {"later": True}
"""Metadata of a field that is left out while it has its default, so that records which do not
use it keep the bytes they had before there was such a field."""

PLAIN = frozenset({str, int, float, bool, NoneType})
"""Types whose values JSON has as they are."""

Decoder: TypeAlias = Callable[[Any], Any]


def encode(value: Any) -> Any:
    """Turns a record into lists, dictionaries and the plain values that JSON has."""
    if type(value) in PLAIN:
        return value  # most values are, and a ledger writes millions
    if is_dataclass(value) and not isinstance(value, type):
        held = {field: getattr(value, field.name) for field in fields(value)}
        return {
            field.name: encode(found)
            for field, found in held.items()
            if not field.metadata.get("later") or found != field.default
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {name: encode(held) for name, held in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(held) for held in value]
    return value


def decode(kind: type[T], value: object) -> T:
    """Makes the record of a type that `encode` was given.

    Raises:
        TypeError, ValueError, KeyError: the value has another shape.
    """
    wanted: Any = kind
    return cast("T", _decoder(wanted)(value))


@cache
def _decoder(kind: Any) -> Decoder:
    """The decoder of one type; made once, because a ledger holds many records of few types."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _optional_decoder(next(a for a in arguments if a is not NoneType))
    if origin is Literal:
        return lambda value: value
    if origin is tuple:
        return _tuple_decoder(arguments)
    if origin is not None and issubclass(origin, Mapping):
        held = _decoder(arguments[1])
        return lambda value: {name: held(each) for name, each in value.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        return _record_decoder(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _value_decoder(kind)


def _optional_decoder(kind: Any) -> Decoder:
    decoder = _decoder(kind)
    return lambda value: None if value is None else decoder(value)


def _tuple_decoder(kinds: tuple[Any, ...]) -> Decoder:
    decoders = [_decoder(kind) for kind in kinds if kind is not Ellipsis]

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"{value!r} is not a valid list")
        if kinds[-1] is Ellipsis:
            return tuple(map(decoders[0], cast("list[Any]", value)))
        pairs = zip(decoders, cast("list[Any]", value), strict=True)
        return tuple(decoder(each) for decoder, each in pairs)

    return read


def _record_decoder(kind: Callable[..., Any]) -> Decoder:
    decoders: dict[str, Decoder] = {}

    def read(value: Any) -> Any:
        # The fields' decoders are made at the first use: a record may hold one of its own type.
        if not decoders:
            decoders.update({name: _decoder(hint) for name, hint in get_type_hints(kind).items()})
        if type(value) is kind:
            return value  # a reader has put it there, so that many records share it
        if not isinstance(value, Mapping):
            raise TypeError(f"{value!r} is not a valid {kind.__name__}")
        held = cast("Mapping[str, Any]", value)
        return kind(**{name: decoders[name](each) for name, each in held.items()})

    return read


def _value_decoder(kind: type) -> Decoder:
    accepted = (float, int) if kind is float else kind

    def read(value: Any) -> Any:
        if not isinstance(value, accepted):
            raise TypeError(f"{value!r} is not a valid {kind.__name__}")
        return value

    return read
