"""Crew of a lane: threads that send requests to one server, as many at a time as are allowed."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Protocol

from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.served.transport import (
    Reply,
    TimedTransport,
    Transport,
    TransportError,
)


class Errand(Protocol):
    """Something to send."""

    @property
    def body(self) -> Mapping[str, object]: ...


@dataclass(frozen=True, slots=True)
class Returned:
    """The end of one errand.

    Attributes:
        place: index of the lane.
        result: the reply, or why there is none.
        on_their_way: requests that were on their way to that server, this one included.
        at: when it came, by the monotonic clock.
        resent: it was sent a second time at once, on a new connection.
    """

    errand: Errand
    place: int
    result: Reply | TransportError | UsageError
    on_their_way: int
    at: float
    resent: bool = False


class Crew:
    """Threads for one server and one stream; an errand waits until it may be sent.

    Args:
        place: index of the lane, for what returns.
        returned: where errands come back, in the order of their ends.
    """

    def __init__(
        self, transport: TimedTransport, path: str, place: int, returned: SimpleQueue[Returned]
    ) -> None:
        self._transport = transport
        self._ticket = transport.ticket()
        self._path = path
        self._place = place
        self._returned = returned
        self._turn = threading.Condition()
        self._waiting: deque[Errand] = deque()
        self._active = 0
        self._idle = 0
        self._limit = 1
        self._not_before = 0.0
        self._closed = False

    @property
    def load(self) -> int:
        """Errands that wait here or are on their way."""
        return len(self._waiting) + self._active

    def allow(self, limit: int, not_before: float) -> None:
        """Says how many may be on their way, and until when (monotonic clock) none may start."""
        with self._turn:
            self._limit = limit
            self._not_before = not_before
            self._hire()
            self._turn.notify_all()

    def send(self, errand: Errand) -> None:
        """Takes an errand; a thread sends it in its turn."""
        with self._turn:
            self._waiting.append(errand)
            self._hire()
            self._turn.notify()

    def close(self) -> None:
        """Lets the threads end; what is on its way comes back to nobody."""
        with self._turn:
            self._closed = True
            self._waiting.clear()
            self._turn.notify_all()

    def _hire(self) -> None:
        """Starts as many threads as there are errands that could go now and nobody takes."""
        while self._idle < min(len(self._waiting), self._limit - self._active):
            self._idle += 1
            threading.Thread(
                target=self._work, name=f"coderobust-send-{self._place}", daemon=True
            ).start()

    def _work(self) -> None:
        self._transport.enter(self._ticket)
        while (errand := self._take()) is not None:
            returned = self._run(errand)
            with self._turn:
                self._active -= 1
                self._idle += 1
            self._returned.put(returned)

    def _take(self) -> Errand | None:
        """Waits for an errand that may be sent; None when there will be none."""
        with self._turn:
            while not self._closed:
                pause = self._not_before - time.monotonic()
                if self._waiting and self._active < self._limit and pause <= 0:
                    self._idle -= 1
                    self._active += 1
                    return self._waiting.popleft()
                self._turn.wait(pause if pause > 0 else None)
            return None

    def _run(self, errand: Errand) -> Returned:
        body = errand.body
        result, resent = send_once(self._transport, self._path, body, lambda: not self._closed)
        return Returned(errand, self._place, result, self._active, time.monotonic(), resent)


def send_once(
    transport: Transport,
    path: str,
    body: Mapping[str, object],
    wanted: Callable[[], bool] = lambda: True,
) -> tuple[Reply | TransportError | UsageError, bool]:
    """Sends a request; again at once, on a new connection, where nothing of an answer had come.

    Servers close kept connections without a word. Returns whether it was sent twice, too.

    Args:
        wanted: whether an answer is still waited for.
    """
    resent = False
    try:
        try:
            return transport.post(path, body), resent
        except TransportError as error:
            if not (error.early and wanted()):
                raise
        resent = True
        return transport.post(path, body, fresh=True), resent
    except (TransportError, UsageError) as error:
        return error.with_traceback(None), resent
