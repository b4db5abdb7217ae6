"""The wire's language: plain Python values as tagged JSON. No pickle, no marshal.

Both sides speak it. What the trusted side decodes is made of exact builtin types only, whatever
the other side sent: the decoder builds values from literals and calls nothing that was named on
the wire. A value outside the vocabulary becomes `Opaque`: it equals nothing and has no truth.

    null true false 1 1.5 "x" [...]      None, bool, int, float, str, list
    {"int": "-ff"}                       an int beyond 63 bits (hexadecimal: no digit limit)
    {"tuple": [...]} {"set": [...]} {"frozenset": [...]} {"iter": [...]} {"deque": [...]}
    {"dict": [[k, v], ...]}              in insertion order, any keys
    {"bytes": "00ff"} {"bytearray": ...} hexadecimal
    {"complex": [re, im]} {"range": [start, stop, step]} {"slice": [a, b, c]}
    {"decimal": "1.0"} {"fraction": [1, 2]} {"type": "int"} {"ellipsis": 0}
    {"opaque": "module.Type"}            also {"match": 0}: opaque, but true, as re.Match is
"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, cast

from pytest_coderobust.sandbox.cage.frames import WireError

MAX_DEPTH = 200
MAX_NODES = 2_000_000
BUILTIN_TYPES: dict[str, type] = {
    kind.__name__: kind
    for kind in cast("tuple[type, ...]", (
        bool, bytearray, bytes, complex, dict, float, frozenset, int, list, object, range,
        set, slice, str, tuple, type, type(None), Exception, BaseException, ArithmeticError,
        AssertionError, AttributeError, IndexError, KeyError, LookupError, NotImplementedError,
        OverflowError, RuntimeError, StopIteration, TypeError, ValueError, ZeroDivisionError,
    ))
}  # fmt: skip


class Opaque:
    """A value that cannot cross: unequal to everything, and without a truth value.

    A default truth would let `assert candidate(x)` pass for any unknown object; only a regular
    expression's match, which data sets do return for "yes", is true.
    """

    __slots__ = ("true", "type_name")

    def __init__(self, type_name: str, *, true: bool = False) -> None:
        self.type_name = type_name
        self.true = true

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return id(self)

    def __bool__(self) -> bool:
        if self.true:
            return True
        raise TypeError(f"a value of type {self.type_name} cannot leave the sandbox")

    def __repr__(self) -> str:
        return f"<opaque {self.type_name}>"


class Encoder:
    """Turns one message's values into JSON-able ones; a fresh one for each message."""

    def __init__(self) -> None:
        self.nodes = 0
        self.opaque: list[str] = []

    def encode(self, value: Any, depth: int = 0) -> Any:
        kind = type(value)
        if value is None or kind is bool or kind is str or kind is float:
            return value
        if kind is int:
            return _encode_int(value)
        self.nodes += 1
        if depth >= MAX_DEPTH or self.nodes > MAX_NODES:
            return self._opaque(value)
        if kind is list:
            return [self.encode(item, depth + 1) for item in value]
        for base, encode in _ENCODERS:
            if issubclass(kind, base):
                return encode(self, value, depth + 1)
        return self._other(value, kind, depth)

    def items(self, values: Iterable[Any], depth: int) -> list[Any]:
        room = max(0, MAX_NODES - self.nodes) + 1
        encoded = [self.encode(item, depth) for item in islice(values, room)]
        if len(encoded) == room:
            raise WireError("more items than a message may hold")
        self.nodes += len(encoded)
        return encoded

    def _other(self, value: Any, kind: type, depth: int) -> Any:
        if kind in (type(NotImplemented), type(...)):
            return {"ellipsis": 0} if value is ... else self._opaque(value)
        if kind is type and BUILTIN_TYPES.get(value.__name__, Opaque) is value:
            return {"type": value.__name__}
        number = _encode_number(value, kind)
        if number is not None:
            return number
        if kind is re.Match:
            return {"match": 0}
        if isinstance(value, Iterator):
            return {"iter": self.items(value, depth + 1)}
        return self._opaque(value)

    def _opaque(self, value: Any) -> dict[str, str]:
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        self.opaque.append(name)
        return {"opaque": name[:200]}


def _encode_int(value: int) -> Any:
    plain = int.__index__(value)
    if -(1 << 63) <= plain < 1 << 63:
        return int(plain)
    return {"int": format(plain, "x")}


def _encode_number(value: Any, kind: type) -> Any:
    """Exact and NumPy numbers, without importing what the other side has not imported."""
    for module, name, encode in _LAZY:
        base = getattr(sys.modules.get(module), name, None)
        if isinstance(base, type) and issubclass(kind, base):
            return encode(value)
    return None


def _encode_scalar(value: Any) -> Any:
    plain = value.item()
    return Encoder().encode(plain) if type(plain) in (bool, int, float, complex, str) else None


_LAZY: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("decimal", "Decimal", lambda value: {"decimal": str(value)}),
    ("fractions", "Fraction", lambda value: {"fraction": [format(value.numerator, "x"),
                                                          format(value.denominator, "x")]}),
    ("numpy", "generic", _encode_scalar),
)  # fmt: skip


def _pairs(encoder: Encoder, value: dict[Any, Any], depth: int) -> Any:
    flat = encoder.items((side for pair in dict.items(value) for side in pair), depth)
    return {"dict": [flat[at : at + 2] for at in range(0, len(flat), 2)]}


# Subclasses travel as their builtin base: an `int` that claims to equal everything arrives as the
# plain number it holds. Base methods are used, so overridden ones cannot lie about the content.
_ENCODERS: tuple[tuple[type, Callable[[Encoder, Any, int], Any]], ...] = (
    (int, lambda _e, value, _d: _encode_int(int.__int__(value))),
    (str, lambda _e, value, _d: str.__str__(value)),
    (float, lambda _e, value, _d: float.__float__(value)),
    (list, lambda e, value, d: e.items(list.__iter__(value), d)),
    (tuple, lambda e, value, d: {"tuple": e.items(tuple.__iter__(value), d)}),
    (dict, _pairs),
    (set, lambda e, value, d: {"set": e.items(set.__iter__(value), d)}),
    (frozenset, lambda e, value, d: {"frozenset": e.items(frozenset.__iter__(value), d)}),
    (bytes, lambda _e, value, _d: {"bytes": bytes.hex(value)}),
    (bytearray, lambda _e, value, _d: {"bytearray": bytearray.hex(value)}),
    (complex, lambda _e, value, _d: {"complex": [value.real, value.imag]}),
    (range, lambda e, value, d: {"range": e.items((value.start, value.stop, value.step), d)}),
    (slice, lambda e, value, d: {"slice": e.items((value.start, value.stop, value.step), d)}),
    (deque, lambda e, value, d: {"deque": e.items(deque.__iter__(value), d)}),
    (type({}.keys()), lambda e, value, d: {"keys": e.items(value, d)}),
    (type({}.values()), lambda e, value, d: {"values": e.items(value, d)}),
    (type({}.items()), lambda e, value, d: {"items": e.items(value, d)}),
)


def decode(value: Any) -> Any:
    """The plain value of a tagged one.

    Raises:
        WireError: an unknown tag or a malformed body; from hostile bytes it is the only error
            apart from RecursionError and MemoryError.
    """
    kind = type(value)
    if kind is list:
        return [decode(item) for item in value]
    if kind is not dict:
        return value
    if len(value) != 1:
        raise WireError(f"an object with {len(value)} tags")
    ((tag, body),) = value.items()
    build = _DECODERS.get(tag)
    if build is None:
        raise WireError(f"unknown tag {tag[:40]!r}")
    try:
        return build(body)
    except (TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise WireError(f"malformed {tag}: {error}"[:200]) from None


def _decode_decimal(body: Any) -> Any:
    from decimal import Decimal

    return Decimal(body)


def _decode_fraction(body: Any) -> Any:
    from fractions import Fraction

    return Fraction(int(body[0], 16), int(body[1], 16))


def _decode_dict(body: Any) -> Any:
    return {decode(key): decode(item) for key, item in body}


def _some(body: Any) -> list[Any]:
    if type(body) is not list:
        raise TypeError("not an array")
    return [decode(item) for item in body]


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "int": lambda body: int(body, 16),
    "tuple": lambda body: tuple(_some(body)),
    "set": lambda body: set(_some(body)),
    "frozenset": lambda body: frozenset(_some(body)),
    "iter": lambda body: iter(_some(body)),
    "deque": lambda body: deque(_some(body)),
    "dict": _decode_dict,
    "keys": lambda body: dict.fromkeys(_some(body)).keys(),
    "values": lambda body: dict(enumerate(_some(body))).values(),
    "items": lambda body: dict(_some(body)).items(),
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "complex": lambda body: complex(body[0], body[1]),
    "range": lambda body: range(*_some(body)),
    "slice": lambda body: slice(*_some(body)),
    "decimal": _decode_decimal,
    "fraction": _decode_fraction,
    "type": lambda body: BUILTIN_TYPES[body],
    "ellipsis": lambda _body: ...,
    "match": lambda _body: Opaque("re.Match", true=True),
    "opaque": lambda body: Opaque(str(body)[:200]),
}
