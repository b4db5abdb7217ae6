"""The wire's language: plain Python values as tagged JSON. No pickle, no marshal.

Both sides speak it; `encoder` writes it, and this module reads it. What the trusted side decodes is
made of exact builtin types only, whatever the other side sent: the decoder builds values from
literals and calls nothing that was named on the wire. A value outside the vocabulary becomes
`Opaque`: it equals nothing and has no truth.

    null true false 1 1.5 "x" [...]      None, bool, int, float, str, list
    {"int": "-ff"}                       an int beyond 63 bits (hexadecimal: no digit limit)
    {"tuple": [...]} {"set": [...]} {"frozenset": [...]} {"iter": [...]} {"deque": [...]}
    {"dict": [[k, v], ...]}              in insertion order, any keys
    {"bytes": "00ff"} {"bytearray": ...} hexadecimal
    {"complex": [re, im]} {"range": [start, stop, step]} {"slice": [a, b, c]}
    {"decimal": "1.0"} {"fraction": [1, 2]} {"type": "int"} {"ellipsis": 0}
    {"opaque": "module.Type"}            also {"match": 0}: opaque, but true, as re.Match is

Checks with packages have more words: see `vocabulary`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, cast

from pytest_coderobust.sandbox.cage.frames import WireError
from pytest_coderobust.sandbox.cage.vocabulary import DECODERS

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


def decode(value: Any) -> Any:
    """Returns the plain value of a tagged one.

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
    build = DECODERS.get(tag) or _DECODERS.get(tag)
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


def _decode_items(body: Any) -> list[Any]:
    if type(body) is not list:
        raise TypeError("not an array")
    return [decode(item) for item in body]


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "int": lambda body: int(body, 16),
    "tuple": lambda body: tuple(_decode_items(body)),
    "set": lambda body: set(_decode_items(body)),
    "frozenset": lambda body: frozenset(_decode_items(body)),
    "iter": lambda body: iter(_decode_items(body)),
    "deque": lambda body: deque(_decode_items(body)),
    "dict": _decode_dict,
    "keys": lambda body: dict.fromkeys(_decode_items(body)).keys(),
    "values": lambda body: dict(enumerate(_decode_items(body))).values(),
    "items": lambda body: dict(_decode_items(body)).items(),
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "complex": lambda body: complex(body[0], body[1]),
    "range": lambda body: range(*_decode_items(body)),
    "slice": lambda body: slice(*_decode_items(body)),
    "decimal": _decode_decimal,
    "fraction": _decode_fraction,
    "type": lambda body: BUILTIN_TYPES[body],
    "ellipsis": lambda _body: ...,
    "match": lambda _body: Opaque("re.Match", true=True),
    "opaque": lambda body: Opaque(str(body)[:200]),
}
