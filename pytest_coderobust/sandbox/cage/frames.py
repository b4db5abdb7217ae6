"""Frames: JSON messages behind their length, capped in size.

They go over plain descriptors with converters made beforehand: in a fresh fork, every page that
a call touches is a copy.
"""

from __future__ import annotations

import json
import os
from typing import Any

HEADER = 8
CHUNK = 1 << 20
DETAIL = 300

# Values are trees by the time they get here, so nothing circular can come along.
to_json = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_decode = json.JSONDecoder().raw_decode


class WireError(Exception):
    """A frame or a value breaks the rules of the wire."""


def pack(message: Any, cap: int) -> bytes:
    """Makes one frame's bytes. Raises WireError beyond `cap` bytes."""
    body = to_json(message).encode("ascii")
    if len(body) > cap:
        raise WireError(f"a message of {len(body)} bytes, over the limit of {cap}")
    return len(body).to_bytes(HEADER, "big") + body


def unpack(data: bytes) -> list[Any]:
    """Reads the messages of complete frames and leaves out a torn last one. Raises WireError."""
    messages: list[Any] = []
    at = 0
    while at + HEADER <= len(data):
        end = at + HEADER + int.from_bytes(data[at : at + HEADER], "big")
        if end > len(data):
            break
        messages.append(from_json(data[at + HEADER : end]))
        at = end
    return messages


def from_json(body: bytes) -> Any:
    """Parses a JSON text. Raises WireError."""
    try:
        text = body.decode("ascii")
        value, end = _decode(text)
        if end != len(text):
            raise ValueError("something follows the value")
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {error}"[:200]) from None
    return value


def send(fd: int, message: Any, cap: int) -> None:
    """Writes one frame. Raises WireError beyond `cap` bytes, OSError when nobody reads."""
    data = memoryview(pack(message, cap))
    while data:
        data = data[os.write(fd, data) :]


def receive(fd: int, cap: int) -> Any:
    """Reads one frame. Raises EOFError at the end, WireError for junk or beyond `cap` bytes."""
    size = int.from_bytes(_exactly(fd, HEADER), "big")
    if size > cap:
        raise WireError(f"a message of {size} bytes, over the limit of {cap}")
    return from_json(_exactly(fd, size))


def receive_rest(fd: int, cap: int) -> bytes | None:
    """Reads what is left until the end; None when that is more than `cap` bytes."""
    data = bytearray()
    while part := os.read(fd, CHUNK):
        data += part
        if len(data) > cap:
            return None
    return bytes(data)


def describe(error: BaseException) -> dict[str, Any]:
    """Returns the names of an exception's classes, most derived first, and its message."""
    names = [kind.__name__ for kind in type(error).__mro__]
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001  a hostile __str__
        text = ""
    return {"kinds": names[:20], "text": text[:DETAIL]}


def _exactly(fd: int, size: int) -> bytes:
    first = os.read(fd, min(size, CHUNK)) if size else b""
    if len(first) == size:
        return first
    data = bytearray(first)
    while len(data) < size:
        part = os.read(fd, min(size - len(data), CHUNK)) if first else b""
        if not part:
            raise EOFError("the other side is gone")
        data += part
    return bytes(data)
