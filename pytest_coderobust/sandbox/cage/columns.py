"""Columns of pandas on the wire: the data of a series, of an index, or of one column of a frame.

["array", dtype, shape, base64]              numbers, truth values, dates and durations
["objects", [value, ...]]                    plain texts, numbers, truth values and null
["text", dtype, [text or null, ...]]         pandas' own text types, "str" and "string"
["masked", dtype, [dtype, shape, base64], [dtype, shape, base64]]
                                             "Int64", "boolean", ...: values, and where none is
["category", ordered, [dtype, shape, base64], column]
                                             codes, -1 for none, and the categories
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from pytest_coderobust.sandbox.cage.arrays import decode_array, encode_array, name_dtype
from pytest_coderobust.sandbox.cage.encoder import CONTAINER, Encoder
from pytest_coderobust.sandbox.cage.frames import WireError
from pytest_coderobust.sandbox.cage.wire import decode

Column: TypeAlias = Any
"""An array of NumPy's or an extension array of pandas', of one dimension."""
PLAIN: tuple[Any, ...] = (
    str, int, float, bool, type(None), np.generic, pd.Timestamp, pd.Timedelta,
)  # fmt: skip
"""Types of the objects in a column; pandas' words for what is missing may be there too."""
NUMBERS = "biufc"
UNITS = frozenset({"s", "ms", "us", "ns"})
MISSING = (pd.NaT, pd.NA)
MASKED: dict[str, Any] = {
    **dict.fromkeys(("Int8", "Int16", "Int32", "Int64"), pd.arrays.IntegerArray),
    **dict.fromkeys(("UInt8", "UInt16", "UInt32", "UInt64"), pd.arrays.IntegerArray),
    **dict.fromkeys(("Float32", "Float64"), pd.arrays.FloatingArray),
    "boolean": pd.arrays.BooleanArray,
}
TEXTS = ("str", "string")


class UnknownColumn(Exception):
    """A column, a label or a cell that the wire has no word for."""


def encode_column(encoder: Encoder, values: Any, depth: int) -> list[Any]:
    """Encodes the data of a series or an index. Raises UnknownColumn, WireError."""
    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        if dtype.kind == "O":
            return ["objects", encode_cells(encoder, values, depth)]
        return ["array", *encode_plain(encoder, values.to_numpy())]
    if isinstance(dtype, pd.StringDtype):
        text = TEXTS[dtype.na_value is pd.NA]
        cells = values.astype(object).where(values.notna(), None)
        return ["text", text, encode_cells(encoder, cells, depth)]
    if isinstance(dtype, pd.CategoricalDtype):
        codes = encode_plain(encoder, values.array.codes)
        return ["category", dtype.ordered, codes, encode_column(encoder, dtype.categories, depth)]
    if dtype.name in MASKED:
        empty = values.array.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
        mask = np.asarray(values.isna(), bool)
        return ["masked", dtype.name, encode_plain(encoder, empty), encode_plain(encoder, mask)]
    raise UnknownColumn(str(dtype))


def encode_plain(encoder: Encoder, values: Any) -> list[Any]:
    """Encodes an array whose type both libraries have. Raises UnknownColumn, WireError."""
    if not is_kept(values.dtype) or not name_dtype(values.dtype):
        raise UnknownColumn(str(values.dtype))
    body: list[Any] = encode_array(encoder, values, 0)["array"]
    return body


def encode_cells(encoder: Encoder, values: Any, depth: int) -> list[Any]:
    """Encodes objects one by one. Raises UnknownColumn, WireError."""
    encoder.count(CONTAINER + len(values))
    return [encode_label(encoder, cell, depth) for cell in values.to_numpy(object)]


def encode_label(encoder: Encoder, label: Any, depth: int) -> Any:
    """Encodes one object or name. Raises UnknownColumn, WireError."""
    if not isinstance(label, PLAIN) and not is_missing(label):
        raise UnknownColumn(type(label).__name__)
    before = len(encoder.opaque)
    encoded = encoder.encode(label, depth)
    if len(encoder.opaque) > before:
        raise UnknownColumn(encoder.opaque.pop())
    return encoded


def decode_column(body: Any) -> Column:
    """Makes a column of its body. Raises WireError, TypeError, ValueError, LookupError."""
    kind, *rest = body
    return _READERS[kind](*rest)


def decode_plain(*body: Any) -> Any:
    """Makes an array of one dimension and of a type that both libraries have."""
    found = decode_array(body)
    if found.ndim != 1 or not is_kept(found.dtype):
        raise WireError("a column of a type that tables do not have")
    return found


def is_kept(dtype: Any) -> bool:
    """Whether pandas keeps the values of a NumPy type as they are."""
    if dtype.kind in "mM":
        return np.datetime_data(dtype)[0] in UNITS
    return dtype.kind in NUMBERS


def decode_cells(body: Any) -> Any:
    """Makes an array of objects, each of them plain."""
    if type(body) is not list:
        raise WireError("a column of objects that is no list")
    cells = np.empty(len(body), object)
    for at, each in enumerate(body):
        cells[at] = decode_label(each)
    return cells


def decode_label(body: Any) -> Any:
    """Makes a plain object or name."""
    label = decode(body)
    # Exact types: what else the wire has cannot stand in a table.
    plain = type(label) in PLAIN or isinstance(label, np.generic) or is_missing(label)
    if not plain:
        raise WireError("a cell or a name that is not plain")
    return label


def is_missing(value: Any) -> bool:
    """Whether a value is pandas' own word for a missing date or for any missing value."""
    return any(value is each for each in MISSING)


def _read_text(dtype: Any, body: Any) -> Column:
    if dtype not in TEXTS or type(body) is not list:
        raise WireError("a column of an unknown type of text")
    if any(type(each) is not str and each is not None for each in body):
        raise WireError("a text that is none")
    return pd.array(body, dtype=dtype)


def _read_masked(dtype: Any, values: Any, mask: Any) -> Column:
    found = MASKED[dtype](decode_plain(*values), decode_plain(*mask))
    if found.dtype.name != dtype:
        raise WireError("a column of values that are not of its type")
    return found


def _read_category(ordered: Any, codes: Any, categories: Any) -> Column:
    if type(ordered) is not bool:
        raise WireError("categories that are neither ordered nor not")
    known = make_index(decode_column(categories))
    return pd.Categorical.from_codes(decode_plain(*codes), categories=known, ordered=ordered)


def make_index(column: Column, name: Any = None) -> Any:
    """Makes an index of a column, of that column's own type."""
    return pd.Index(column, dtype=column.dtype, name=name)


_READERS: dict[Any, Callable[..., Column]] = {
    "array": decode_plain,
    "objects": decode_cells,
    "text": _read_text,
    "masked": _read_masked,
    "category": _read_category,
}
