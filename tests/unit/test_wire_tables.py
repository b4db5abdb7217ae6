"""Tables on the wire: equal under `pandas.testing`'s defaults, or an error of the wire."""

from __future__ import annotations

import json
import tracemalloc
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pandas.testing
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_coderobust.sandbox.cage.encoder import MAX_ITEMS, Encoder
from pytest_coderobust.sandbox.cage.frames import WireError
from pytest_coderobust.sandbox.cage.libraries import find_vocabularies
from pytest_coderobust.sandbox.cage.vocabulary import overwrite, speak
from pytest_coderobust.sandbox.cage.wire import Opaque, decode


@pytest.fixture(autouse=True, scope="module")
def _tables() -> Iterator[None]:
    speak(find_vocabularies(["numpy", "pandas"]))
    yield
    speak([])


def cross(value: Any) -> Any:
    """A value after a trip over the wire, text included."""
    encoded = json.loads(json.dumps(Encoder().encode(value)))
    found = decode(encoded)
    # A call's arguments are compared as text, to see which it changed.
    assert json.dumps(Encoder().encode(found)) == json.dumps(encoded)
    return found


def check_same(found: Any, value: Any) -> None:
    """Compares with the defaults of `pandas.testing`."""
    if isinstance(value, pd.DataFrame):
        assert type(found) is pd.DataFrame
        pandas.testing.assert_frame_equal(found, value)
    elif isinstance(value, pd.Series):
        assert type(found) is pd.Series
        pandas.testing.assert_series_equal(found, value)
    else:
        pandas.testing.assert_index_equal(found, value)


words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
labels = st.none() | words | st.integers(-9, 9) | st.tuples(words, st.integers(0, 9))


def columns(size: int) -> st.SearchStrategy[Any]:
    """Series of a length, of every kind of column that the wire has."""

    def listed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
        return st.lists(values, min_size=size, max_size=size)

    whole, real, truth = st.integers(-99, 99), st.floats(width=32), st.booleans()
    moments = st.datetimes(pd.Timestamp(1900, 1, 1), pd.Timestamp(2100, 1, 1))
    plain = st.none() | words | whole | real | truth
    return st.one_of(
        *(
            listed(whole).map(lambda each, d=dtype: pd.Series(each, dtype=d))
            for dtype in ("i8", "i1")
        ),
        listed(st.integers(0, 255)).map(lambda each: pd.Series(each, dtype="u1")),
        *(
            listed(real).map(lambda each, d=dtype: pd.Series(each, dtype=d))
            for dtype in ("f8", "f4")
        ),
        listed(truth).map(lambda each: pd.Series(each, dtype=bool)),
        listed(moments | st.none()).map(lambda each: pd.Series(each, dtype="M8[us]")),
        listed(whole).map(lambda each: pd.Series(each, dtype="m8[ns]")),
        listed(plain).map(lambda each: pd.Series(each, dtype=object)),
        listed(words).map(lambda each: pd.Series(each, dtype="str")),
        listed(words | st.none()).map(lambda each: pd.Series(each, dtype="string")),
        listed(whole | st.none()).map(lambda each: pd.Series(each, dtype="Int64")),
        listed(st.integers(0, 9) | st.none()).map(lambda each: pd.Series(each, dtype="UInt8")),
        listed(real | st.none()).map(lambda each: pd.Series(each, dtype="Float32")),
        listed(truth | st.none()).map(lambda each: pd.Series(each, dtype="boolean")),
        listed(st.sampled_from(["x", "y"]) | st.none()).map(
            lambda e: pd.Series(e, dtype="category")
        ),
    )


def indexes(size: int) -> st.SearchStrategy[Any]:
    """Indexes of a length."""
    plain = columns(size).map(pd.Index)
    pairs = st.tuples(plain, plain, labels, labels).map(
        lambda parts: pd.MultiIndex.from_arrays(parts[:2], names=parts[2:])
    )
    ranges = st.tuples(st.integers(-5, 5), st.sampled_from([-2, 1, 3])).map(
        lambda parts: pd.RangeIndex(parts[0], parts[0] + size * parts[1], parts[1])
    )
    dates = st.sampled_from(["D", "h", "MS", "W-SUN"]).map(
        lambda freq: pd.date_range("2020-01-01", periods=size, freq=freq)
    )
    named = st.tuples(plain | ranges | dates, labels).map(lambda parts: parts[0].rename(parts[1]))
    return named | pairs


@st.composite
def tables(draw: st.DrawFn) -> Any:
    """Series, frames and indexes."""
    size = draw(st.integers(0, 4))
    index = draw(indexes(size))
    kind = draw(st.sampled_from(["index", "series", "frame"]))
    if kind == "index":
        return index
    if kind == "series":
        found = draw(columns(size))
        found.index, found.name = index, draw(labels)
        return found
    width = draw(st.integers(0, 3))
    frame = pd.DataFrame({at: draw(columns(size)) for at in range(width)}, index=range(size))
    frame.index, frame.columns = index, draw(indexes(width))
    return frame


@given(tables())
@settings(max_examples=100)
def test_a_table_comes_back_the_same(value: Any) -> None:
    check_same(cross(value), value)


def test_what_methods_of_pandas_make_comes_back() -> None:
    frame = pd.DataFrame(
        {"k": [1, 1, 2], "v": [1.0, np.nan, 3.0], "t": ["a", None, "c"]}, index=["x", "y", "z"]
    )
    made = [
        frame.groupby("k").agg({"v": ["mean", "sum"]}),
        frame.groupby("k")["v"].sum(),
        frame.T,
        frame.iloc[0],
        frame.describe(),
        frame["t"].value_counts(),
        pd.concat([frame, frame]),
        pd.concat([frame, frame], axis=1),
        frame.pivot_table(index="k", columns="t", values="v"),
        frame.set_index(["k", "t"]),
        frame.dtypes.astype(str),
        frame.isna(),
        pd.DataFrame(),
        pd.DataFrame(index=[1, 2]),
        pd.DataFrame(columns=["a", "b"]),
        pd.Series([pd.Timestamp("2020"), pd.NaT, pd.NA, 1], dtype=object),
        pd.Series([1], name=pd.Timestamp("2020")),
        frame.columns,
    ]
    for value in made:
        check_same(cross(value), value)


@pytest.mark.parametrize(
    "value", [pd.Timestamp("2020-02-03 04:05:06.789"), pd.Timedelta("3h"), pd.NaT, pd.NA]
)
def test_moments_and_missing_values_come_back(value: Any) -> None:
    found = cross(value)
    assert type(found) is type(value)
    assert found is value if pd.isna(value) else found == value


@pytest.mark.parametrize(
    "value",
    [
        pd.Series([[1]]),
        pd.Series([object()]),
        pd.Series(pd.date_range("2020", periods=2, tz="UTC")),
        pd.Series(pd.period_range("2020", periods=2, freq="M")),
        pd.Series(pd.arrays.SparseArray([0, 1])),
        pd.Series(pd.interval_range(0, 2)),
        pd.Series(np.zeros(1, np.longdouble)),
        pd.DataFrame({"a": [1], "b": [{1}]}),
        pd.DataFrame({("a", (1,)): [1]}),
        pd.Index([(1, [2])], tupleize_cols=False),
        pd.Timestamp("2020", tz="UTC"),
    ],
)
def test_what_the_wire_has_no_word_for_is_opaque_as_a_whole(value: Any) -> None:
    encoder = Encoder()
    assert isinstance(decode(encoder.encode(value)), Opaque)
    assert len(encoder.opaque) == 1


def test_a_subclass_is_the_data_that_it_holds() -> None:
    class Yes(pd.DataFrame):
        """Equals everything."""

        def __eq__(self, other: object) -> Any:
            return self.notna() | True

        def equals(self, _: object) -> bool:
            return True

    encoder = Encoder()
    found = decode(encoder.encode(Yes({"a": [1]})))
    assert type(found) is pd.DataFrame
    assert not found.equals(pd.DataFrame({"a": [2]}))
    assert encoder.flattened.endswith("Yes")


def test_opaque_values_are_compared_as_a_whole() -> None:
    opaque = decode({"opaque": "a.B"})
    for other in (pd.Series([], dtype=float), pd.DataFrame({"a": [1]}), pd.Index([])):
        assert (opaque == other) is False
        assert (other == opaque) is False


@given(tables(), tables())
@settings(max_examples=40)
def test_a_table_takes_what_another_one_holds(one: Any, other: Any) -> None:
    if type(one) is not type(other) or isinstance(one, pd.Index):
        assert not overwrite(one, other)
        return
    assert overwrite(one, other)
    check_same(one, other)


def array(dtype: str, shape: list[int], data: bytes) -> list[Any]:
    return [dtype, shape, b64encode(data).decode()]


NUMBERS = ["array", *array("<i8", [2], b"\0" * 16)]
INDEX = {"range_index": [None, 0, 2, 1]}
HUGE = 1 << 62
BAD: list[tuple[str, Any]] = [
    ("objects-in-array", {"series": [INDEX, None, ["array", *array("|O", [2], b"\0" * 16)]]}),
    ("text-array", {"series": [INDEX, None, ["array", *array("<U1", [2], b"\0" * 8)]]}),
    ("table-in-column", {"series": [INDEX, None, ["array", *array("<i8", [1, 2], b"\0" * 16)]]}),
    ("longer-than-index", {"series": [{"range_index": [None, 0, 3, 1]}, None, NUMBERS]}),
    ("huge-range", {"range_index": [None, 0, HUGE, 1]}),
    ("huge-index", {"series": [{"range_index": [None, 0, HUGE, 1]}, None, NUMBERS]}),
    ("no-step", {"range_index": [None, 0, 2, 0]}),
    ("truth-range", {"range_index": [None, False, True, 1]}),
    ("list-cell", {"series": [INDEX, None, ["objects", [[1], [2]]]]}),
    ("opaque-cell", {"series": [INDEX, None, ["objects", [{"opaque": "a"}, 1]]]}),
    ("array-cell", {"series": [INDEX, None, ["objects", [1, {"array": array("|i1", [0], b"")}]]]}),
    ("table-cell", {"series": [INDEX, None, ["objects", [1, {"series": [INDEX, None, NUMBERS]}]]]}),
    ("opaque-name", {"series": [INDEX, {"opaque": "a"}, NUMBERS]}),
    ("list-name", {"series": [INDEX, [1], NUMBERS]}),
    ("nested-name", {"series": [INDEX, {"tuple": [{"tuple": [1]}]}, NUMBERS]}),
    ("unknown-column", {"series": [INDEX, None, ["pickle", "x"]]}),
    ("unhashable-column", {"series": [INDEX, None, [["array"], "x"]]}),
    ("no-column", {"series": [INDEX, None, []]}),
    ("no-index", {"series": [NUMBERS, None, NUMBERS]}),
    ("series-as-index", {"series": [{"series": [INDEX, None, NUMBERS]}, None, NUMBERS]}),
    ("odd-text-type", {"series": [INDEX, None, ["text", "object", ["a", "b"]]]}),
    ("number-in-text", {"series": [INDEX, None, ["text", "str", ["a", 1]]]}),
    ("odd-mask-type", {"series": [INDEX, None, ["masked", "object", NUMBERS[1:], NUMBERS[1:]]]}),
    ("mask-no-truth", {"series": [INDEX, None, ["masked", "Int64", NUMBERS[1:], NUMBERS[1:]]]}),
    (
        "mask-of-other-type",
        {"series": [INDEX, None, ["masked", "Int8", NUMBERS[1:], array("|b1", [2], b"\0\0")]]},
    ),
    (
        "mask-too-short",
        {"series": [INDEX, None, ["masked", "Int64", NUMBERS[1:], array("|b1", [1], b"\0")]]},
    ),
    (
        "codes-beyond",
        {"series": [INDEX, None, ["category", False, array("|i1", [2], b"\5\0"), NUMBERS]]},
    ),
    ("odd-order", {"series": [INDEX, None, ["category", 1, array("|i1", [2], b"\0\0"), NUMBERS]]}),
    ("few-columns", {"frame": [INDEX, INDEX, [NUMBERS]]}),
    ("columns-no-list", {"frame": [INDEX, INDEX, {"a": NUMBERS}]}),
    ("many-columns", {"frame": [INDEX, {"range_index": [None, 0, 10_001, 1]}, [NUMBERS] * 10_001]}),
    ("odd-frequency", {"index": [None, ["array", *array("<M8[ns]", [2], b"\0" * 16)], "D"]}),
    ("wild-frequency", {"index": [None, ["array", *array("<M8[ns]", [0], b"")], "D;" * 30]}),
    ("no-dates", {"index": [None, NUMBERS, "D"]}),
    ("short-floats", {"index": [None, ["array", *array("<f2", [1], b"\0\0")], None]}),
    ("no-levels", {"multi_index": [[], []]}),
    ("uneven-levels", {"multi_index": [[None, None], [INDEX, {"range_index": [None, 0, 1, 1]}]]}),
    ("many-levels", {"multi_index": [[None] * 33, [INDEX] * 33]}),
    ("few-names", {"multi_index": [[None], [INDEX, INDEX]]}),
    ("day-dates", {"series": [INDEX, None, ["array", *array("<M8[D]", [2], b"\0" * 16)]]}),
    ("number-moment", {"moment": ["<i8", b64encode(b"\0" * 8).decode()]}),
    ("early-moment", {"moment": ["<M8[Y]", b64encode(b"\xff" * 7 + b"\x7f").decode()]}),
    ("missing-what", {"missing": "None"}),
    ("missing-list", {"missing": [1]}),
    ("no-body", {"frame": None}),
    ("text-body", {"frame": "abc"}),
]


@pytest.mark.parametrize("body", [body for _, body in BAD], ids=[name for name, _ in BAD])
def test_what_does_not_add_up_is_an_error_of_the_wire(body: Any) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            decode(body)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def damage(value: Any, draw: Any) -> Any:
    """Changes one place of a tagged value."""
    if isinstance(value, list) and value and draw(st.booleans()):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], damage(value[at], draw), *value[at + 1 :]]
    if isinstance(value, dict) and value and draw(st.booleans()):
        (key, body), *_ = value.items()
        return {key: damage(body, draw)}
    junk = st.none() | st.booleans() | st.integers() | st.text(max_size=6)
    pieces = st.sampled_from([[], {}, HUGE, -1, MAX_ITEMS + 1, "<i8", "|O", [HUGE], INDEX, NUMBERS])
    return draw(junk | pieces | st.just([value]) | st.just([value, value]))


@given(tables(), st.data(), st.integers(1, 3))
@settings(max_examples=100)
def test_damaged_tables_raise_nothing_but_the_wires_own_error(
    value: Any, data: st.DataObject, times: int
) -> None:
    body = json.loads(json.dumps(Encoder().encode(value)))
    for _ in range(times):
        body = damage(body, data.draw)
    tracemalloc.start()
    try:
        repr(decode(body))
    except WireError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 8 << 20
