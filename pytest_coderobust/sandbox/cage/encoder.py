"""Makes tagged JSON of values, and refuses values that are too large before it reads them.

A list of a billion numbers, a text of a gigabyte, an iterator without end and a value that holds
itself are all recognised in a small part of a second of processor time, so that a busy machine
makes no timeouts of them. The limits:

    MAX_ITEMS      items of one message, where a container counts CONTAINER times
    STREAMED       how many times as much everything counts that comes from an iterator: nobody
                   knows where it ends, so 100,000 items of it are the most
    MAX_DEPTH      levels of nesting; what lies deeper becomes opaque
    room           characters of one text, number or byte string
"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias, cast

from pytest_coderobust.sandbox.cage.frames import WireError
from pytest_coderobust.sandbox.cage.vocabulary import find_encoder
from pytest_coderobust.sandbox.cage.wire import BUILTIN_TYPES, Opaque

MAX_DEPTH = 200
MAX_ITEMS = 8_000_000
"""The most that fit into 16 MiB, the wire's usual size: each takes two bytes at least."""
CONTAINER = 12
STREAMED = 80
SMALL = 1 << 63
"""Numbers below it travel as they are."""
_PLAIN = frozenset({bool, float, type(None)})
Encode: TypeAlias = "Callable[[Encoder, Any, int], Any]"


class Encoder:
    """Turns one message's values into JSON-able ones; a fresh one for each message.

    Args:
        room: characters that one text may have, at most; by default any number of them.

    Attributes:
        opaque: type names of the values that cannot cross.
        flattened: type name of the first value that crosses without its own fields and methods, as
            the builtin value that it derives from or as its items; "" for none.
    """

    def __init__(self, room: int = sys.maxsize) -> None:
        self.opaque: list[str] = []
        self.flattened = ""
        self._room = room
        self._left = MAX_ITEMS
        self._weight = 1
        self._open: set[int] = set()  # the containers around the value at hand, by identity

    def encode(self, value: Any, depth: int = 0) -> Any:
        """Returns the tagged value. Raises WireError where it is too large for a message."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is str:
            self.check_length(len(value))
            return value
        if kind is int:
            return self.encode_int(value)
        # A value inside itself would go on to the depth, and as often as it comes at each level.
        if depth >= MAX_DEPTH or id(value) in self._open:
            return self.make_opaque(value)
        self._open.add(id(value))
        if kind is list:
            encoded: Any = self.encode_items(value, len(value), depth + 1)
        else:
            encode = _ENCODERS.get(kind) or self._find_base_encoder(kind)
            encoded = encode(self, value, depth + 1)
        self._open.discard(id(value))
        return encoded

    def encode_items(self, values: Iterable[Any], size: int, depth: int) -> list[Any]:
        """Encodes the items of a container; `size` is what they count: one each, or more."""
        self.count(CONTAINER + size)
        encode = self.encode
        # Most items are small numbers, and a call for each would take most of the time.
        return [
            item if type(item) is int and -SMALL <= item < SMALL else encode(item, depth)
            for item in values
        ]

    def encode_iterator(self, values: Iterator[Any], depth: int) -> list[Any]:
        """Encodes the items of an iterator, up to its end."""
        before, self._weight = self._weight, STREAMED
        self.count(1)
        encoded: list[Any] = []
        for item in values:
            self.count(1)
            encoded.append(self.encode(item, depth))
        self._weight = before
        return encoded

    def encode_int(self, value: int) -> Any:
        plain = int.__index__(value)
        if -SMALL <= plain < SMALL:
            return int(plain)
        self.check_length(plain.bit_length() // 4)
        return {"int": format(plain, "x")}

    def encode_text(self, value: str) -> str:
        """Returns the plain text of a subclass of str."""
        plain = str.__str__(value)
        self.check_length(len(plain))
        return plain

    def encode_bytes(self, value: bytes | bytearray) -> str:
        kind = bytes if isinstance(value, bytes) else bytearray
        self.check_length(2 * kind.__len__(value))  # type: ignore[arg-type]
        return kind.hex(value)  # type: ignore[arg-type]

    def encode_other(self, value: Any, depth: int) -> Any:
        """Encodes a type, a number of a library, an iterator, or anything else as opaque."""
        kind = type(value)
        if kind in (type(NotImplemented), type(...)):
            return {"ellipsis": 0} if value is ... else self.make_opaque(value)
        if kind is type and BUILTIN_TYPES.get(value.__name__, Opaque) is value:
            return {"type": value.__name__}
        number = _encode_number(value, kind)
        if number is not None:
            return number
        if kind is re.Match:
            return {"match": 0}
        if isinstance(value, Iterator):
            self.flattened = self.flattened or name_type(kind)
            return {"iter": self.encode_iterator(value, depth)}
        return self.make_opaque(value)

    def count(self, items: int) -> None:
        """Counts items of the message. Raises WireError where they are too many."""
        self._left -= items * self._weight
        if self._left < 0:
            raise WireError("more items than a message may hold")

    def check_length(self, characters: int) -> None:
        """Refuses a text that is too long. Raises WireError."""
        if characters > self._room:
            raise WireError(f"a text of {characters} characters, over the limit of {self._room}")

    def _find_base_encoder(self, kind: type) -> Encode:
        """Returns the encoder of a library's type, or of the builtin type below a type."""
        if (found := find_encoder(kind)) is not None:
            return cast("Encode", found)
        for base, encode in _ENCODERS.items():
            if issubclass(kind, base):
                self.flattened = self.flattened or name_type(kind)
                return encode
        return Encoder.encode_other

    def make_opaque(self, value: Any) -> dict[str, str]:
        """Notes that a value cannot cross, and returns what crosses in its place."""
        name = name_type(type(value))
        self.opaque.append(name)
        return {"opaque": name[:200]}


def name_type(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _encode_number(value: Any, kind: type) -> Any:
    """Encodes exact and NumPy numbers, without importing a library that is not loaded."""
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


def _encode_pairs(encoder: Encoder, value: dict[Any, Any], depth: int) -> Any:
    sides = (side for pair in dict.items(value) for side in pair)
    size = dict.__len__(value) * (CONTAINER + 2)  # each pair becomes a container
    flat = encoder.encode_items(sides, size, depth)
    return {"dict": [flat[at : at + 2] for at in range(0, len(flat), 2)]}


def _encode_slots(name: str) -> Encode:
    """Makes the encoder of a range or a slice: its start, stop and step."""
    return lambda e, value, d: {name: e.encode_items((value.start, value.stop, value.step), 3, d)}


def _encode_container(name: str, base: Any) -> Encode:
    """Makes the encoder of a container, which uses the methods of its base."""
    return lambda e, value, d: {name: e.encode_items(base.__iter__(value), base.__len__(value), d)}


# Subclasses travel as their builtin base: an `int` that claims to equal everything arrives as the
# plain number it holds. Base methods are used, so overridden ones cannot lie about the content.
_ENCODERS: dict[type, Encode] = {
    int: lambda e, value, _d: e.encode_int(int.__int__(value)),
    str: lambda e, value, _d: e.encode_text(value),
    float: lambda _e, value, _d: float.__float__(value),
    list: lambda e, value, d: e.encode_items(list.__iter__(value), list.__len__(value), d),
    tuple: _encode_container("tuple", tuple),
    dict: _encode_pairs,
    set: _encode_container("set", set),
    frozenset: _encode_container("frozenset", frozenset),
    bytes: lambda e, value, _d: {"bytes": e.encode_bytes(value)},
    bytearray: lambda e, value, _d: {"bytearray": e.encode_bytes(value)},
    complex: lambda _e, value, _d: {"complex": [value.real, value.imag]},
    range: _encode_slots("range"),
    slice: _encode_slots("slice"),
    deque: _encode_container("deque", deque),
    type({}.keys()): _encode_container("keys", type({}.keys())),
    type({}.values()): _encode_container("values", type({}.values())),
    type({}.items()): _encode_container("items", type({}.items())),
}
