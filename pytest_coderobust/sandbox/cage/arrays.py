"""NumPy's arrays and scalars on the wire: bytes with a dtype and a shape.

    {"array": ["<f8", [2, 3], "base64"]}      C order, writable on arrival
    {"scalar": ["<i8", "base64"]}

The types are booleans, integers, floats, complex numbers, dates, durations, texts and bytes; an
array of anything else, of objects above all, is opaque. Reading checks the type against the list,
the shape, and the number of bytes that both demand, before anything is made of them. A subclass
arrives as the plain array of the data that it holds, whatever its own methods say.
"""

from __future__ import annotations

import re
import sys
from binascii import a2b_base64, b2a_base64
from math import prod
from typing import Any

import numpy as np

from pytest_coderobust.sandbox.cage.encoder import CONTAINER, MAX_ITEMS, Encoder, name_type
from pytest_coderobust.sandbox.cage.frames import WireError
from pytest_coderobust.sandbox.cage.random_seed import seed
from pytest_coderobust.sandbox.cage.vocabulary import Vocabulary
from pytest_coderobust.sandbox.cage.wire import Opaque

MAX_RANK = 32
"""NumPy's own limit until version 2."""
DTYPE = re.compile(
    r"\|b1|\|[iu]1|[<>](?:[iu][248]|f[248]|c(?:8|16))"
    r"|[<>][Mm]8\[(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\]"
    r"|(?:[<>]U|\|S)[1-9][0-9]{0,7}",
    re.ASCII,
)
LAST_CHARACTER = 0x10FFFF


class ArrayOpaque(Opaque):
    """An opaque value that arrays and tables leave alone: no comparison goes element by element.

    Otherwise `(f(x) == expected).all()` would be true of any value where `expected` is empty.
    """

    __slots__ = ()
    __array_ufunc__ = None
    __pandas_priority__ = 1 << 20

    def __array__(self, *_: object, **__: object) -> Any:
        raise TypeError(f"a value of type {self.type_name} cannot leave the sandbox")

    __eq__ = Opaque.__eq__
    __hash__ = Opaque.__hash__


def find_encoder(kind: type) -> Any:
    """Finds the encoder of an array's or a scalar's type."""
    if issubclass(kind, np.ndarray):
        return encode_array
    return encode_scalar if issubclass(kind, np.generic) else None


def encode_array(encoder: Encoder, value: Any, _depth: int) -> Any:
    """Encodes the data of an array, by NumPy's own methods."""
    kind = type(value)
    plain = np.ndarray.view(value, np.ndarray) if kind is not np.ndarray else value
    dtype = name_dtype(plain.dtype)
    if not dtype or plain.ndim > MAX_RANK or is_masked(kind):
        return encoder.make_opaque(value)
    if kind is not np.ndarray:
        encoder.flattened = encoder.flattened or name_type(kind)
    check_size(plain.shape)
    encoder.count(CONTAINER + plain.size)
    encoder.check_length(plain.nbytes // 3 * 4)
    return {"array": [dtype, list(plain.shape), write_data(plain, dtype)]}


def is_masked(kind: type) -> bool:
    """Whether a type is one of masked arrays, which are not the data that they hold."""
    masked = getattr(sys.modules.get("numpy.ma"), "MaskedArray", None)
    return masked is not None and issubclass(kind, masked)


def encode_scalar(encoder: Encoder, value: Any, _depth: int) -> Any:
    """Encodes a scalar by its bytes."""
    plain = np.asarray(value)
    dtype = name_dtype(plain.dtype)
    if not dtype or plain.ndim:
        return encoder.make_opaque(value)
    if type(value) is not plain.dtype.type:
        encoder.flattened = encoder.flattened or name_type(type(value))
    encoder.count(CONTAINER)
    encoder.check_length(plain.nbytes // 3 * 4)
    return {"scalar": [dtype, write_data(plain, dtype)]}


def write_data(plain: Any, dtype: str) -> str:
    """Writes an array's bytes as text."""
    return b2a_base64(plain.astype(dtype, copy=False).tobytes(), newline=False).decode("ascii")


def name_dtype(dtype: Any) -> str:
    """Writes a dtype as the wire has it; "" for one that it has not."""
    text = str(dtype.str)
    if text[1:] in ("U0", "S0"):  # an array of empty texts is as good as one of short ones
        text = f"{text[:2]}1"
    return text if DTYPE.fullmatch(text) and dtype.names is None and not dtype.shape else ""


def decode_array(body: Any) -> Any:
    """Makes an array of its tag's body. Raises WireError."""
    dtype, shape, data = body
    if type(shape) is not list or len(shape) > MAX_RANK:
        raise WireError("an array with too many dimensions, or none")
    if any(type(size) is not int or size < 0 for size in shape):
        raise WireError("an array with a size that is no whole number")
    return read_data(dtype, tuple(shape), data)


def decode_scalar(body: Any) -> Any:
    """Makes a scalar of its tag's body. Raises WireError."""
    dtype, data = body
    return read_data(dtype, (), data)[()]


def read_data(dtype: Any, shape: tuple[int, ...], data: Any) -> Any:
    """Makes an array after every check that can be made before. Raises WireError."""
    if type(dtype) is not str or not DTYPE.fullmatch(dtype):
        raise WireError(f"an array of a type that the wire does not have: {str(dtype)[:40]!r}")
    check_size(shape)
    size = prod(shape) * measure_item(dtype)
    if type(data) is not str or len(data) != (size + 2) // 3 * 4:
        raise WireError("an array whose bytes do not fit its type and shape")
    raw = a2b_base64(data)
    if len(raw) != size:
        raise WireError("an array whose bytes do not fit its type and shape")
    found = np.frombuffer(raw, dtype).reshape(shape)
    check_content(raw, dtype)
    return found.copy()


def decode_opaque(body: Any) -> ArrayOpaque:
    """Makes an opaque value that arrays leave alone."""
    return ArrayOpaque(str(body)[:200])


def decode_match(_body: Any) -> ArrayOpaque:
    """Makes an opaque value that is true."""
    return ArrayOpaque("re.Match", true=True)


def check_size(shape: tuple[int, ...]) -> None:
    """Refuses shapes that some operation on an array could blow up, empty ones too."""
    if prod(max(1, size) for size in shape) > MAX_ITEMS:
        raise WireError("more items than a message may hold")


def measure_item(dtype: str) -> int:
    """Measures one item of an array in bytes, from the text of its type alone."""
    kind, count = dtype[1], dtype[2:].partition("[")[0]
    return int(count) * (4 if kind == "U" else 1)


def check_content(raw: bytes, dtype: str) -> None:
    """Refuses bytes that are no value of their type: of truth values, and of characters."""
    most = {"b": 1, "U": LAST_CHARACTER}.get(dtype[1])
    if most is None or not raw:
        return
    word = "|u1" if dtype[1] == "b" else f"{dtype[0]}u4"
    if np.frombuffer(raw, word).max() > most:
        raise WireError("an array of bytes that are no values of its type")


def overwrite(given: Any, after: Any) -> bool:
    """Copies an array into one of the same type and shape; a smaller one cannot take it."""
    if type(given) is not np.ndarray or type(after) is not np.ndarray:
        return False
    if given.shape != after.shape or given.dtype != after.dtype or not given.flags.writeable:
        return False
    given[...] = after
    return True


VOCABULARY = Vocabulary(
    find_encoder,
    {
        "array": decode_array,
        "scalar": decode_scalar,
        "opaque": decode_opaque,
        "match": decode_match,
    },
    overwrite,
    seed,
)
