"""Metered transport of single requests: each reserves its worst case before it goes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from typing import cast

from pytest_coderobust.models.metering import FRAME, Meter
from pytest_coderobust.models.served.answers import read_price
from pytest_coderobust.models.served.replies import AGAIN
from pytest_coderobust.models.served.wire import Reply, Transport
from pytest_coderobust.records import Usage

LIMITS = ("max_tokens", "max_completion_tokens")
"""Body fields that limit an answer's tokens."""


class MeteredTransport:
    """A transport whose completions are metered; what else is asked of a server costs nothing.

    Every try is metered for itself: a server may have counted one that it did not answer.
    """

    def __init__(self, below: Transport, meter: Meter) -> None:
        self._below = below
        self._meter = meter

    def get(self, path: str) -> Reply:
        return self._below.get(path)

    def post(self, path: str, body: Mapping[str, object], *, fresh: bool = False) -> Reply:
        if not path.endswith("/completions"):
            return self._below.post(path, body, fresh=fresh)
        most = bound_request(body)
        self._meter.reserve(most)
        used = Usage(retries=1)
        try:
            reply = self._below.post(path, body, fresh=fresh)
            if reply.status not in AGAIN:
                used = read_price(reply.body, count_text(body), reply.seconds)
        finally:
            self._meter.settle(most, used)
        return reply


def bound_request(body: Mapping[str, object]) -> Usage:
    """Bounds the tokens of one request: those of its prompt, or its bytes, and its limit."""
    prompt = body.get("prompt")
    ids = prompt is not None and not isinstance(prompt, str)
    given = len(cast("Sized", prompt)) if ids else count_text(body) + FRAME
    written = max((as_limit(body.get(name)) for name in LIMITS), default=0)
    return Usage(1, 0, given, 0, written)


def count_text(body: Mapping[str, object]) -> int:
    """Counts the bytes of a request's prompt; token ids have none."""
    prompt = body.get("prompt")
    if isinstance(prompt, str):
        return len(prompt.encode("utf-8", "surrogatepass"))
    messages = cast("Iterable[Mapping[str, object]]", body.get("messages") or ())
    return sum(len(str(each.get("content", "")).encode()) for each in messages)


def as_limit(value: object) -> int:
    """Reads a limit of tokens; 0 for none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
