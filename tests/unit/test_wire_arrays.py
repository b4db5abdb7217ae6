"""Arrays on the wire: what is sent arrives, and nothing is built of what does not add up."""

from __future__ import annotations

import json
import tracemalloc
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from pytest_coderobust.sandbox.cage.encoder import MAX_ITEMS, Encoder
from pytest_coderobust.sandbox.cage.frames import WireError
from pytest_coderobust.sandbox.cage.libraries import find_vocabularies
from pytest_coderobust.sandbox.cage.vocabulary import overwrite, seed, speak
from pytest_coderobust.sandbox.cage.wire import Opaque, decode


@pytest.fixture(autouse=True, scope="module")
def _arrays() -> Iterator[None]:
    speak(find_vocabularies(["numpy"]))
    yield
    speak([])


def cross(value: Any) -> Any:
    """A value after a trip over the wire, text included."""
    return decode(json.loads(json.dumps(Encoder().encode(value))))


def tag(dtype: Any, shape: Any, data: bytes) -> Any:
    return {"array": [dtype, shape, b64encode(data).decode()]}


units = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as")
dtypes = st.one_of(
    npst.boolean_dtypes(),
    npst.integer_dtypes(endianness="?"),
    npst.unsigned_integer_dtypes(endianness="?"),
    npst.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    npst.complex_number_dtypes(endianness="?", sizes=(64, 128)),
    npst.datetime64_dtypes(min_period="as", max_period="Y"),
    npst.timedelta64_dtypes(min_period="as", max_period="Y"),
    npst.unicode_string_dtypes(endianness="?", max_len=5),
    npst.byte_string_dtypes(max_len=5),
)
arrays = dtypes.flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, max_dims=4, min_side=0))
)


@given(arrays)
def test_an_array_comes_back_the_same(array: np.ndarray[Any, Any]) -> None:
    found = cross(array)
    assert type(found) is np.ndarray
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()
    assert found.flags.writeable
    assert found.flags.owndata


@given(arrays.filter(lambda array: array.size > 0))
def test_a_scalar_comes_back_the_same(array: np.ndarray[Any, Any]) -> None:
    scalar = array.flat[0]
    found = cross(scalar)
    assert type(found) is type(scalar)
    assert (found == scalar) or (found != found and scalar != scalar)


def test_values_inside_containers_and_views_come_back() -> None:
    found = cross([np.float32(0.1), {"a": np.arange(3)}, (np.bool_(True),)])
    assert type(found[0]) is np.float32
    assert found[0] == np.float32(0.1)
    assert found[1]["a"].tolist() == [0, 1, 2]
    assert found[2][0].dtype == bool
    grid = np.arange(12).reshape(3, 4)
    for view in (grid.T, grid[::2, ::-1], np.asfortranarray(grid), np.broadcast_to(1.0, (2, 3))):
        assert (cross(view) == view).all()


def test_empty_texts_have_a_place() -> None:
    empty = np.zeros(3, "U0")
    assert cross(empty).tolist() == ["", "", ""]
    assert cross(np.str_("")) == ""


@pytest.mark.parametrize(
    "array",
    [
        np.array([1, None], object),
        np.array([(1, 2.0)], "i4,f8"),
        np.zeros(2, np.longdouble),
        np.zeros(2, "V8"),
        np.zeros(2, "M8"),
        np.zeros(2, "M8[25s]"),
        np.ma.array([1, 2], mask=[0, 1]),
        np.longdouble(1),
        np.void(b"ab"),
    ],
    ids=lambda array: f"{type(array).__name__}-{array.dtype}",
)
def test_what_the_list_does_not_have_is_opaque(array: Any) -> None:
    encoder = Encoder()
    found = decode(encoder.encode(array))
    assert isinstance(found, Opaque)
    assert encoder.opaque


def test_a_subclass_is_the_data_that_it_holds() -> None:
    class Yes(np.ndarray[Any, Any]):
        """Equals everything, and says so in every way there is."""

        def __eq__(self, other: object) -> Any:
            return np.ones(self.shape, bool)

        def __array_function__(self, *_: Any) -> Any:
            return True

        def __array_ufunc__(self, *_: Any, **__: Any) -> Any:
            return np.ones(self.shape, bool)

        def tobytes(self, *_: Any, **__: Any) -> bytes:
            return np.full(3, 7).tobytes()

        shape = property(lambda _: (7,))  # type: ignore[assignment]

    liar = np.array([1, 2, 3]).view(Yes)
    encoder = Encoder()
    found = decode(encoder.encode(liar))
    assert type(found) is np.ndarray
    assert found.tolist() == [1, 2, 3]
    assert encoder.flattened.endswith("Yes")


def test_opaque_values_are_compared_as_a_whole() -> None:
    opaque = decode({"opaque": "a.B"})
    for other in (np.array([]), np.zeros(3), np.zeros((0, 2))):
        assert (opaque == other) is False
        assert (other == opaque) is False
        assert (other != opaque) is True
        with pytest.raises((AssertionError, TypeError)):
            np.testing.assert_array_equal(opaque, other)
        with pytest.raises(TypeError):
            np.allclose(other, opaque)
        with pytest.raises(TypeError):
            np.array_equal(np.asarray(opaque), other)


def test_without_packages_an_array_is_no_word() -> None:
    encoded = Encoder().encode(np.arange(3))
    speak([])
    try:
        with pytest.raises(WireError, match="unknown tag"):
            decode(encoded)
        assert Encoder().encode(np.float64(1.5)) == 1.5
        assert Encoder().encode(np.arange(3)) == {"opaque": "numpy.ndarray"}
    finally:
        speak(find_vocabularies(["numpy"]))


HUGE = 1 << 62
BAD = [
    ("object", tag("|O", [1], b"\0" * 8)),
    ("fields", tag([["a", "<i4"]], [1], b"\0" * 4)),
    ("fields-text", tag("i4,i4", [1], b"\0" * 8)),
    ("subarray", tag("(2,)i4", [1], b"\0" * 8)),
    ("void", tag("|V8", [1], b"\0" * 8)),
    ("longdouble", tag("<f16", [1], b"\0" * 16)),
    ("native", tag("=i8", [1], b"\0" * 8)),
    ("no-order", tag("i8", [1], b"\0" * 8)),
    ("newline", tag("<i8\n", [1], b"\0" * 8)),
    ("unit", tag("<M8[x]", [1], b"\0" * 8)),
    ("multiple", tag("<M8[7s]", [1], b"\0" * 8)),
    ("empty-text", tag("<U0", [HUGE], b"")),
    ("long-text", tag("<U999999999", [1], b"")),
    ("arabic-digit", tag("<U\u0663", [1], b"\0" * 12)),
    ("number-type", tag(3, [1], b"\0" * 8)),
    ("too-few", tag("<i8", [2], b"\0" * 8)),
    ("too-many", tag("<i8", [1], b"\0" * 16)),
    ("one-byte-more", tag("|i1", [3], b"\0" * 4)),
    ("negative", tag("<i8", [-1], b"")),
    ("negative-twice", tag("<i8", [-1, -1], b"\0" * 8)),
    ("huge", tag("<i8", [HUGE], b"\0" * 8)),
    ("huge-and-empty", tag("<i8", [0, HUGE], b"")),
    ("large-and-empty", tag("<i8", [0, MAX_ITEMS + 1], b"")),
    ("overflowing", tag("<i8", [HUGE, HUGE, 4], b"")),
    ("too-many-items", tag("|i1", [MAX_ITEMS + 1], b"")),
    ("deep", tag("<i8", [1] * 33, b"\0" * 8)),
    ("bool-size", tag("<i8", [True], b"\0" * 8)),
    ("float-size", tag("<i8", [1.0], b"\0" * 8)),
    ("text-shape", tag("<i8", "1", b"\0" * 8)),
    ("no-shape", tag("<i8", None, b"\0" * 8)),
    ("odd-truth", tag("|b1", [2], b"\1\2")),
    ("no-character", tag("<U1", [1], b"\xff\xff\xff\xff")),
    ("no-character-big", tag(">U1", [1], b"\x00\x11\x00\x00")),
    ("no-base64", {"array": ["<i8", [1], "*" * 12]}),
    ("no-text", {"array": ["<i8", [1], [0] * 12]}),
    ("wide-text", {"array": ["<i8", [1], "\u00e9" * 12]}),
    ("no-body", {"array": None}),
    ("short-body", {"array": ["<i8", [1]]}),
    ("long-body", {"array": ["<i8", [1], "", ""]}),
    ("scalar-object", {"scalar": ["|O", "AAAAAAAAAAA="]}),
    ("scalar-short", {"scalar": ["<i8", "AAAA"]}),
    ("scalar-long", {"scalar": ["|i1", "AAAA"]}),
    ("scalar-empty", {"scalar": ["<i8", ""]}),
]


@pytest.mark.parametrize("body", [body for _, body in BAD], ids=[name for name, _ in BAD])
def test_what_does_not_add_up_is_an_error_of_the_wire(body: Any) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            decode(body)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("dtype", "size"),
    [("|b1", 1), ("<i4", 4), (">c16", 16), ("<U3", 12), ("|S5", 5), ("<M8[ns]", 8), ("|u1", 1)],
)
def test_the_size_of_an_item_is_what_numpy_says(dtype: str, size: int) -> None:
    assert np.dtype(dtype).itemsize == size
    assert decode(tag(dtype, [2, 3], b"\0" * 6 * size)).shape == (2, 3)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=2)
    ),
    max_leaves=8,
)
texts = st.sampled_from(["<i8", "|b1", "<U2", "|S3", "<f8", "|O", "<M8[ns]", "<c8", ">u2"]) | junk
shapes = st.lists(st.integers(-2, 5) | st.sampled_from([HUGE, MAX_ITEMS]), max_size=4) | junk
data = st.binary(max_size=64).map(lambda raw: b64encode(raw).decode()) | junk


@given(st.tuples(texts, shapes, data), st.booleans())
def test_fuzzed_arrays_raise_nothing_but_the_wires_own_error(body: Any, scalar: bool) -> None:
    dtype, shape, raw = body
    tagged = {"scalar": [dtype, raw]} if scalar else {"array": [dtype, shape, raw]}
    tracemalloc.start()
    try:
        found = decode(tagged)
    except WireError:
        pass
    else:
        assert isinstance(found, np.generic if scalar else np.ndarray)
        assert not found.dtype.hasobject
        repr(found)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 1 << 20


def test_large_arrays_are_refused_before_they_are_copied() -> None:
    many = np.broadcast_to(np.int8(1), (MAX_ITEMS + 1,))
    with pytest.raises(WireError, match="more items"):
        Encoder().encode(many)
    with pytest.raises(WireError, match="characters"):
        Encoder(room=1000).encode(np.broadcast_to(1.0, (1000,)))
    with pytest.raises(WireError, match="more items"):
        Encoder().encode([np.broadcast_to(np.int8(1), (MAX_ITEMS // 2,))] * 3)


def test_an_array_takes_what_another_one_holds() -> None:
    given_array = np.array([3, 1, 2])
    assert overwrite(given_array, np.array([1, 2, 3]))
    assert given_array.tolist() == [1, 2, 3]
    for other in (np.array([1, 2]), np.array([1.0, 2, 3]), [1, 2, 3]):
        assert not overwrite(given_array, other)
    assert given_array.tolist() == [1, 2, 3]


def test_the_generator_behind_the_functions_is_seeded() -> None:
    seed(5)
    first = np.random.rand()  # noqa: NPY002
    seed(5)
    assert np.random.rand() == first  # noqa: NPY002
