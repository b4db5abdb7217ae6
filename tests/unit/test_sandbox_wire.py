"""The wire: every plain value survives it, and nothing else gets through as itself."""

from __future__ import annotations

import enum
import itertools
import json
import math
import re
import socket
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.sandbox.cage.encoder import Encoder
from pytest_coderobust.sandbox.cage.frames import WireError, receive, send
from pytest_coderobust.sandbox.cage.wire import Opaque, decode

hashables = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters())
    | st.binary()
    | st.complex_numbers(allow_nan=False)
    | st.fractions()
    | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner).map(tuple) | st.frozensets(inner),
    max_leaves=8,
)
plain = st.recursive(
    hashables | st.integers(min_value=1 << 60, max_value=1 << 400),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(hashables, inner)
        | st.sets(hashables)
        | st.lists(inner).map(deque)
        | st.binary().map(bytearray)
    ),
    max_leaves=20,
)


def cross(value: Any) -> Any:
    """A value after a trip over the wire, bytes included."""
    return decode(json.loads(json.dumps(Encoder().encode(value))))


def shape(value: Any) -> Any:
    """A value with its types, in an order-free form that equality can compare."""
    kind = type(value)
    if kind in (list, tuple, deque):
        return kind, [shape(item) for item in value]
    if kind in (set, frozenset):
        return kind, sorted(repr(shape(item)) for item in value)
    if kind is dict:
        return kind, [(shape(key), shape(item)) for key, item in value.items()]
    return kind, repr(value)


@given(plain)
def test_plain_values_come_back_equal_in_value_and_exact_type(value: Any) -> None:
    assert shape(cross(value)) == shape(value)


def test_special_values_survive() -> None:
    assert math.isnan(cross(float("nan")))
    assert math.copysign(1, cross(-0.0)) == -1
    assert cross("\ud800\x00\x1b[31m") == "\ud800\x00\x1b[31m"
    assert cross(10**5000) == 10**5000
    assert cross(range(1, 10, 3)) == range(1, 10, 3)
    assert cross(slice(1, None)) == slice(1, None)
    assert cross(int) is int
    assert cross(...) is ...
    assert list(cross(x for x in (1, 2))) == [1, 2]
    assert cross({1: 2}.keys()) == {1}
    assert list(cross({1: 2}.values())) == [2]
    assert cross({1: 2}.items()) == {(1, 2)}
    assert cross({1: 2, "1": 3}) == {1: 2, "1": 3}


class Yes(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__

    def __index__(self) -> int:
        return 99

    def __int__(self) -> int:
        return 99


class Liar(dict[Any, Any]):
    def items(self) -> Any:
        return [("forged", 1)]

    def __iter__(self) -> Any:
        return iter(["forged"])


class Colour(enum.IntEnum):
    RED = 3


class Point(NamedTuple):
    x: int
    y: int


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Yes(7), 7),
        (Colour.RED, 3),
        (True, True),
        (Point(1, 2), (1, 2)),
        (Counter("aab"), {"a": 2, "b": 1}),
        (OrderedDict(a=1), {"a": 1}),
        (Liar(real=2), {"real": 2}),
        (type("Text", (str,), {"__str__": lambda _self: "forged"})("real"), "real"),
    ],
)
def test_subclasses_arrive_as_the_plain_value_they_hold(value: Any, expected: Any) -> None:
    assert shape(cross(value)) == shape(expected)


class Anything:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = object.__hash__


@pytest.mark.parametrize("value", [Anything(), len, lambda: 1, Anything, NotImplemented, json])
def test_other_objects_arrive_opaque_equal_to_nothing_and_without_truth(value: Any) -> None:
    arrived = cross(value)
    assert type(arrived) is Opaque
    assert not arrived == value  # noqa: SIM201  the operator itself is under test
    assert arrived != 4
    assert arrived != arrived
    with pytest.raises(TypeError, match="cannot leave the sandbox"):
        bool(arrived)


def test_a_match_is_true_and_otherwise_opaque() -> None:
    arrived = cross(re.match("a", "a"))
    assert type(arrived) is Opaque
    assert arrived
    assert arrived != True  # noqa: E712


def test_numpy_scalars_arrive_as_python_ones_and_arrays_opaque() -> None:
    numpy = pytest.importorskip("numpy")
    assert shape(cross([numpy.int64(3), numpy.float32(0.5), numpy.bool_(True)])) == shape(
        [3, 0.5, True]
    )
    assert type(cross(numpy.zeros(3))) is Opaque


class Drawn:
    """An iterator without end that counts how often it is asked."""

    def __init__(self, item: Callable[[int], Any]) -> None:
        self.count = 0
        self._item = item

    def __iter__(self) -> Drawn:
        return self

    def __next__(self) -> Any:
        self.count += 1
        return self._item(self.count)


ENDLESS: dict[str, Callable[[Drawn], Any]] = {
    "itself": lambda drawn: drawn,
    "iter with a sentinel": lambda drawn: iter(drawn.__next__, None),
    "a generator": lambda drawn: (item for item in drawn),
    "map": lambda drawn: map(str, drawn),
    "filter": lambda drawn: filter(None, drawn),
    "zip": lambda drawn: zip(drawn, itertools.count(), strict=False),
    "enumerate": enumerate,
    "chain": lambda drawn: itertools.chain([1], drawn),
    "accumulate": itertools.accumulate,
    "cycle": lambda drawn: itertools.cycle(itertools.islice(drawn, 1000)),
    "in a list": lambda drawn: [1, [drawn]],
    "in a dict": lambda drawn: {"a": (drawn,)},
}
"""Answers without end, each over an iterator that counts."""


@pytest.mark.parametrize("kind", ENDLESS)
def test_an_iterator_without_end_is_recognised_by_a_small_count(kind: str) -> None:
    drawn = Drawn(lambda at: at)
    with pytest.raises(WireError, match="more items"):
        Encoder().encode(ENDLESS[kind](drawn))
    assert drawn.count <= 100_001


@pytest.mark.parametrize(
    "item",
    [
        lambda _at: [0] * 1000,
        lambda _at: itertools.count(),
        lambda _at: {"a": [1]},
        lambda at: [at],
    ],
)
def test_what_lies_in_an_endless_iterator_counts_too(item: Callable[[int], Any]) -> None:
    drawn = Drawn(item)
    with pytest.raises(WireError, match="more items"):
        Encoder().encode(drawn)
    assert drawn.count <= 10_000


@pytest.mark.parametrize("endless", [itertools.repeat(1), itertools.count(), itertools.cycle("ab")])
def test_endless_iterators_of_the_library_are_recognised(endless: Iterator[Any]) -> None:
    with pytest.raises(WireError, match="more items"):
        Encoder().encode(endless)


def test_a_hundred_thousand_items_of_an_iterator_cross() -> None:
    assert list(cross(iter(range(99_000)))) == list(range(99_000))
    assert len(list(cross(zip(range(6_000), range(6_000), strict=True)))) == 6_000
    with pytest.raises(WireError, match="more items"):
        Encoder().encode([iter(range(60_000)), iter(range(60_000))])
    assert len(cross(list(range(300_000)))) == 300_000


def refuse_to_encode(value: Any, depth: int = 0) -> Any:
    raise AssertionError(f"{value} was encoded at depth {depth}")


@pytest.mark.parametrize(
    "large",
    [
        [0] * 8_000_000, (None,) * 8_000_000, deque([0]) * 8_000_000,
        dict.fromkeys(range(600_000)),
    ],
    ids=["list", "tuple", "deque", "dict"],
)  # fmt: skip
def test_a_container_is_counted_before_its_items_are_encoded(large: Any) -> None:
    encoder = Encoder()
    encoder.encode = refuse_to_encode  # type: ignore[method-assign]
    with pytest.raises(WireError, match="more items"):
        Encoder.encode(encoder, large)


@pytest.mark.parametrize(
    "large", ["x" * 1001, b"x" * 501, bytearray(501), 1 << 4005, ["x" * 1001], {"x" * 1001: 1},
              type("Text", (str,), {})("x" * 1001), type("Bytes", (bytes,), {})(b"x" * 501)],
)  # fmt: skip
def test_a_long_text_is_refused_before_it_is_written(large: Any) -> None:
    with pytest.raises(WireError, match="over the limit of 1000"):
        Encoder(1000).encode(large)


def test_what_just_fits_is_not_refused() -> None:
    for value in ("x" * 1000, b"x" * 500, bytearray(500), 1 << 3999, ["x" * 1000] * 3):
        assert decode(Encoder(1000).encode(value)) == value


def holding_itself() -> dict[str, Any]:
    """Values that hold themselves, some of them so often that their paths cannot be counted."""
    plain: list[Any] = []
    plain.append(plain)
    wide: list[Any] = []
    wide += [wide] * 1000
    table: dict[str, Any] = {}
    table["a"] = [table] * 1000
    pair: tuple[list[Any]] = ([],)
    pair[0].append(pair)
    queue: deque[Any] = deque()
    queue.append({"queue": queue})
    return {"plain": plain, "wide": wide, "table": table, "pair": pair, "queue": queue}


@pytest.mark.parametrize("kind", holding_itself())
def test_a_value_that_holds_itself_is_opaque_where_it_comes_again(kind: str) -> None:
    encoder = Encoder()
    encoded = encoder.encode(holding_itself()[kind])
    assert 1 <= len(encoder.opaque) <= 1000
    assert len(json.dumps(encoded)) < 100_000


def test_a_value_inside_itself_is_not_repeated() -> None:
    values = holding_itself()
    assert Encoder().encode(values["plain"]) == [{"opaque": "builtins.list"}]
    assert Encoder().encode(values["pair"]) == {"tuple": [[{"opaque": "builtins.tuple"}]]}


def test_a_value_that_comes_twice_side_by_side_is_no_circle() -> None:
    inner = [1]
    assert cross([inner, [inner], {"a": inner, "b": (inner,)}]) == [
        [1], [[1]], {"a": [1], "b": ([1],)},
    ]  # fmt: skip


def test_deep_values_end() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    encoder = Encoder()
    encoder.encode(deep)
    assert encoder.opaque == ["builtins.list"]
    doubled: Any = [0]
    for _ in range(40):
        doubled = [doubled, doubled]
    with pytest.raises(WireError, match="more items"):
        Encoder().encode(doubled)


TAGS = (
    "int", "tuple", "set", "frozenset", "iter", "deque", "dict", "keys", "values", "items",
    "bytes", "bytearray", "complex", "range", "slice", "decimal", "fraction", "type", "ellipsis",
    "match", "opaque",
)  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3), inner, max_size=2)
        | st.tuples(
            st.sampled_from(TAGS),
            inner,
        ).map(lambda pair: dict([pair]))
    ),
    max_leaves=12,
)


@given(json_values)
def test_hostile_messages_decode_to_builtin_types_or_raise_wire_error(message: Any) -> None:
    try:
        value = decode(message)
    except WireError:
        return
    assert type(value).__module__ in ("builtins", "collections", "decimal", "fractions") or (
        type(value) is Opaque
    )


def test_frames_are_capped_and_junk_is_refused() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(WireError, match="over the limit"):
            send(ours.fileno(), "x" * 100, 50)
        send(ours.fileno(), {"a": 1}, 50)
        assert receive(theirs.fileno(), 50) == {"a": 1}
        for body in (b"\xff\xfe", b"{", b"1" * 5000, b"[" * 5000):
            ours.sendall(len(body).to_bytes(8, "big") + body)
            with pytest.raises(WireError, match="not JSON"):
                receive(theirs.fileno(), 1 << 20)
        ours.sendall((1 << 62).to_bytes(8, "big"))
        with pytest.raises(WireError, match="over the limit"):
            receive(theirs.fileno(), 1 << 20)
        ours.close()
        with pytest.raises(EOFError):
            receive(theirs.fileno(), 50)


def test_fractions_and_decimals_keep_their_exact_value() -> None:
    assert cross(Fraction(1, 3)) == Fraction(1, 3)
    assert str(cross(Decimal("1.10"))) == "1.10"
