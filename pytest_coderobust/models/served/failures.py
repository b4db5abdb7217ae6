"""Failures of requests that get no reply, and the bodies of replies read within limits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import urllib3

MOST_BYTES = 64 * 2**20
"""Bytes of an answer; a longer one is none."""

_CHUNK = 2**16


class TransportError(Exception):
    """No answer came back: no connection, a reset, or the time ran out.

    Args:
        timed_out: the server took the request and was too slow.
        early: nothing of an answer had come, so that the request may go again at once.
        lasting: it will be so the next time, too: a certificate that nobody trusts.
    """

    def __init__(
        self, message: str, *, timed_out: bool = False, early: bool = False, lasting: bool = False
    ) -> None:
        super().__init__(message)
        self.timed_out = timed_out
        self.early = early
        self.lasting = lasting


def read_body(got: Any, until: float) -> bytes:
    """Reads an answer to its end.

    Raises:
        TransportError: it is too long, or comes in drops for longer than an answer may take.
    """
    parts: list[bytes] = []
    size = 0
    while part := got.read1(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise TransportError(f"an answer of more than {MOST_BYTES // 2**20} MiB", lasting=True)
        if time.monotonic() > until:
            raise TransportError("the answer takes too long", timed_out=True)
    return b"".join(parts)


def explain_failure(error: Exception, redact: Callable[[str], str]) -> TransportError:
    """Turns an error of a connection into a sentence's end."""
    told = redact(_reason(error))[:300]
    kinds = urllib3.exceptions
    if isinstance(error, kinds.SSLError):
        return TransportError(f"no secure connection: {told}", lasting=True)
    if isinstance(error, (kinds.ConnectTimeoutError, kinds.NewConnectionError, kinds.ProxyError)):
        return TransportError(f"cannot connect: {told}", early=True)
    if isinstance(error, kinds.ReadTimeoutError):
        return TransportError("no answer in time", timed_out=True)
    if isinstance(error, kinds.ProtocolError):
        return TransportError(f"the connection was cut: {told}", early=True)
    return TransportError(f"{type(error).__name__}: {told}")


def _reason(error: BaseException) -> str:
    """Finds the system's words for an error: "Connection refused"."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror
        seen = seen.__cause__ or seen.__context__
    return str(error)
