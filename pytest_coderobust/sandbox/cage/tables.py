"""Series, data frames and indexes of pandas on the wire: columns with dtypes, names and index.

    {"series": [index, name, column]}
    {"frame": [index, index of columns, [column, ...]]}
    {"index": [name, column, freq]}              freq is a text or null
    {"range_index": [name, start, stop, step]}
    {"multi_index": [[name, ...], [index, ...]]} an index for each level
    {"moment": [dtype, base64]}                  a Timestamp or a Timedelta
    {"missing": "NaT"}                           or "NA"

`columns` has the forms of a column. What pandas has besides (time zones, intervals, periods, sparse
data) makes its owner opaque, and so does a cell that is not plain. What arrives is equal to what
was sent under `pandas.testing`'s defaults. A subclass arrives as the plain object that it derives
from.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import pandas as pd

from pytest_coderobust.sandbox.cage.arrays import decode_scalar, encode_scalar
from pytest_coderobust.sandbox.cage.columns import (
    MISSING,
    UnknownColumn,
    decode_column,
    decode_label,
    encode_column,
    encode_label,
    is_missing,
    make_index,
)
from pytest_coderobust.sandbox.cage.encoder import CONTAINER, MAX_ITEMS, Encoder, name_type
from pytest_coderobust.sandbox.cage.frames import WireError
from pytest_coderobust.sandbox.cage.vocabulary import DecodeWord, Vocabulary

MAX_COLUMNS = 10_000
MAX_LEVELS = 32
FREQ = re.compile(r"[A-Za-z0-9-]{1,20}", re.ASCII)
DATED = (pd.DatetimeIndex, pd.TimedeltaIndex)


def find_encoder(kind: type) -> Any:
    """Finds the encoder of a table's, an index' or a moment's type."""
    for base, encode in _ENCODERS:
        if issubclass(kind, base):
            return encode
    return None


def _guard(encode: Callable[[Encoder, Any, int], Any]) -> Callable[[Encoder, Any, int], Any]:
    """Makes an encoder call what it has no word for opaque as a whole."""

    def run(encoder: Encoder, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind.__module__.partition(".")[0] != "pandas":
            encoder.flattened = encoder.flattened or name_type(kind)
        try:
            return encode(encoder, value, depth)
        except UnknownColumn:
            return encoder.make_opaque(value)

    return run


@_guard
def encode_series(encoder: Encoder, value: Any, depth: int) -> Any:
    plain = pd.Series(value)
    index = encode_index(encoder, plain.index, depth)
    name = encode_name(encoder, plain.name, depth)
    return {"series": [index, name, encode_column(encoder, plain, depth)]}


@_guard
def encode_frame(encoder: Encoder, value: Any, depth: int) -> Any:
    plain = pd.DataFrame(value)
    if plain.shape[1] > MAX_COLUMNS:
        raise WireError(f"a table of {plain.shape[1]} columns, over the limit of {MAX_COLUMNS}")
    index = encode_index(encoder, plain.index, depth)
    columns = encode_index(encoder, plain.columns, depth)
    encoder.count(CONTAINER * plain.shape[1])
    data = [encode_column(encoder, plain.iloc[:, at], depth) for at in range(plain.shape[1])]
    return {"frame": [index, columns, data]}


def encode_index(encoder: Encoder, value: Any, depth: int) -> Any:
    """Encodes an index. Raises UnknownColumn, WireError."""
    if isinstance(value, pd.MultiIndex):
        count = value.nlevels
        numbered = value.set_names([None] * count)  # a number would be taken for a name
        levels = [numbered.get_level_values(at) for at in range(count)]
        names = [encode_name(encoder, name, depth) for name in value.names]
        return {"multi_index": [names, [encode_index(encoder, each, depth) for each in levels]]}
    name = encode_name(encoder, value.name, depth)
    if isinstance(value, pd.RangeIndex):
        encoder.count(CONTAINER)
        if len(value) > MAX_ITEMS:
            raise WireError("more items than a message may hold")
        return {"range_index": [name, value.start, value.stop, value.step]}
    freq = value.freqstr if isinstance(value, DATED) else None
    return {"index": [name, encode_column(encoder, value, depth), freq]}


def encode_name(encoder: Encoder, name: Any, depth: int) -> Any:
    """Encodes the name of a series or of a level: plain, or a tuple of what is plain."""
    if type(name) is tuple:
        return {"tuple": [encode_label(encoder, each, depth) for each in name]}
    return encode_label(encoder, name, depth)


def encode_moment(encoder: Encoder, value: Any, depth: int) -> Any:
    """Encodes a Timestamp or a Timedelta."""
    if is_missing(value):
        return {"missing": str(value).strip("<>")}
    if getattr(value, "tzinfo", None) is not None:
        return encoder.make_opaque(value)
    encoded = encode_scalar(encoder, value.to_numpy(), depth)
    return {"moment": encoded["scalar"]} if "scalar" in encoded else encoded


def _decode_series(index: Any, name: Any, column: Any) -> Any:
    rows, data = read_index(index), decode_column(column)
    return pd.Series(data, index=rows, dtype=data.dtype, name=read_name(name))


def _decode_frame(index: Any, columns: Any, data: Any) -> Any:
    if type(data) is not list or len(data) > MAX_COLUMNS:
        raise WireError("a table with too many columns, or none")
    rows, names = read_index(index), read_index(columns)
    if len(names) != len(data):
        raise WireError("a table whose columns do not fit their names")
    found: dict[int, Any] = {}
    for at, each in enumerate(data):
        column = decode_column(each)
        found[at] = pd.Series(column, index=rows, dtype=column.dtype)
    frame = pd.DataFrame(found, index=rows)
    frame.columns = names
    return frame


def read_index(body: Any) -> Any:
    """Makes an index of one tagged value. Raises WireError, TypeError, ValueError, LookupError."""
    ((tag, parts),) = body.items()
    return _INDEXES[tag](*parts)


def _decode_index(name: Any, column: Any, freq: Any) -> Any:
    found = make_index(decode_column(column), read_name(name))
    if freq is None:
        return found
    if type(freq) is not str or not FREQ.fullmatch(freq) or not isinstance(found, DATED):
        raise WireError("an index with an unknown frequency")
    return type(found)(found, freq=freq, name=found.name)


def _decode_range(name: Any, start: Any, stop: Any, step: Any) -> Any:
    if any(type(each) is not int for each in (start, stop, step)):
        raise WireError("a range of what is no whole number")
    if len(range(start, stop, step)) > MAX_ITEMS:
        raise WireError("more items than a message may hold")
    return pd.RangeIndex(start, stop, step, name=read_name(name))


def _decode_multi(names: Any, levels: Any) -> Any:
    if type(levels) is not list or not 0 < len(levels) <= MAX_LEVELS:
        raise WireError("an index with too many levels, or none")
    found = [read_index(each) for each in levels]
    if len({len(each) for each in found}) > 1:
        raise WireError("an index of levels that differ in length")
    return pd.MultiIndex.from_arrays(found, names=[read_name(name) for name in names])


def read_name(body: Any) -> Any:
    """Makes the name of a series or of a level."""
    if type(body) is dict and "tuple" in body:
        return tuple(decode_label(each) for each in body["tuple"])
    return decode_label(body)


def _decode_moment(*body: Any) -> Any:
    found = decode_scalar(body)
    if found.dtype.kind not in "mM":
        raise WireError("a moment that is neither a date nor a duration")
    return pd.Timestamp(found) if found.dtype.kind == "M" else pd.Timedelta(found)


def _decode_missing(*name: Any) -> Any:
    return {"NaT": pd.NaT, "NA": pd.NA}["".join(name)]


def safely(build: Callable[..., Any]) -> DecodeWord:
    """Makes a word of a function of a body's parts, whose every error is one of the wire.

    pandas raises what it likes at what does not fit together.
    """

    def run(body: Any) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return build(*body)
        except (WireError, MemoryError, RecursionError):
            raise
        except Exception as error:  # noqa: BLE001
            raise WireError(f"a malformed table: {error}"[:200]) from None

    return run


def overwrite(given: Any, after: Any) -> bool:
    """Makes a series or a frame, in place, what another one is."""
    kinds: tuple[Any, ...] = (pd.Series, pd.DataFrame)
    for base in kinds:
        if type(given) is base and type(after) is base:
            base.__init__(given, after)
            return True
    return False


def seed_nothing(_number: int) -> None:
    """Seeds nothing: pandas draws from NumPy's generators."""


_ENCODERS: tuple[tuple[Any, Any], ...] = (
    (pd.DataFrame, encode_frame),
    (pd.Series, encode_series),
    (pd.Index, _guard(encode_index)),
    ((pd.Timestamp, pd.Timedelta, *map(type, MISSING)), encode_moment),
)
_INDEXES: dict[Any, Callable[..., Any]] = {
    "index": _decode_index,
    "range_index": _decode_range,
    "multi_index": _decode_multi,
}
VOCABULARY = Vocabulary(
    find_encoder,
    {
        tag: safely(build)
        for tag, build in {
            **_INDEXES,
            "series": _decode_series,
            "frame": _decode_frame,
            "moment": _decode_moment,
            "missing": _decode_missing,
        }.items()
    },
    overwrite,
    seed_nothing,
)
