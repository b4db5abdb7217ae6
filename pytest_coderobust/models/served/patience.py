"""Patience with a server: the time between tries, and the time without a success that ends it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.served.crew import send_once
from pytest_coderobust.models.served.replies import Again, ReplyCourse, judge_error, judge_reply
from pytest_coderobust.models.served.transport import Reply, Transport, TransportError

PATIENCE = 600.0

FIRST_TRIES = 3
"""Tries at a server that has never answered: a wrong port is told at once."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Times of waiting, in seconds.

    Attributes:
        most: without a success in this time the session ends.
        first: the wait before the second try, which doubles with each further one.
        longest: no wait is longer, but for what a server asks.
        draw: gives numbers from 0.5 to 1 that spread the tries of many senders.
    """

    most: float = PATIENCE
    first: float = 0.5
    longest: float = 60.0
    draw: Callable[[], float] = lambda: random.uniform(0.5, 1.0)

    def wait_before(self, tries: int, hint: float) -> float:
        """The wait before the next try.

        Args:
            tries: those that failed, from 1.
            hint: the seconds that the server asks for; never less.
        """
        grown = self.first * 2.0 ** min(tries - 1, 32)
        return max(hint, self.draw() * min(self.longest, grown))


class PatientTransport:
    """A transport for single requests that waits for a server that loads or is busy.

    Args:
        below: sends one request.
        place: host and port, for messages.
        label: the model as the user wrote it.
        sleep: waits some seconds.
    """

    def __init__(
        self,
        below: Transport,
        place: str,
        label: str,
        patience: Patience,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._below = below
        self._place = place
        self._label = label
        self._patience = patience
        self._sleep = sleep
        self._clock = clock
        self._met = False

    def get(self, path: str) -> Reply:
        """Asks for a path; an error is an answer, but for a server that still loads.

        A gateway's words (502, 504) say nothing of the server behind it.
        """

        def ask() -> Reply | TransportError:
            try:
                return self._below.get(path)
            except TransportError as error:
                return error

        return self._insist(ask, frozenset({429, 502, 503, 504}))

    def post(self, path: str, body: Mapping[str, object], *, fresh: bool = False) -> Reply:
        """Sends a JSON object."""

        def ask() -> Reply | TransportError:
            if not fresh:
                found = send_once(self._below, path, body)[0]
                if isinstance(found, (Reply, TransportError)):
                    return found
                raise found
            try:
                return self._below.post(path, body, fresh=True)
            except TransportError as error:
                return error

        return self._insist(ask, frozenset({408, 425, 429, 502, 503, 504, 529}))

    def _insist(self, ask: Callable[[], Reply | TransportError], again: frozenset[int]) -> Reply:
        """Asks until there is an answer.

        Raises:
            ModelError: there is no server, or it did not answer within the patience.
        """
        began = self._clock()
        tries = 0
        while True:
            found = ask()
            if isinstance(found, Reply):
                self._met = True
                if found.status not in again:
                    return found
            tries += 1
            course: ReplyCourse = (
                judge_reply(found) if isinstance(found, Reply) else judge_error(found)
            )
            if not isinstance(course, Again):
                raise ModelError(
                    f"model {self._label!r}: the server at {self._place}: {course.told}"
                )
            if not self._met and tries >= FIRST_TRIES:
                raise ModelError(
                    f"model {self._label!r}: no server answers at {self._place}: {course.told}"
                )
            wait = self._patience.wait_before(tries, course.hint)
            if self._clock() + wait - began > self._patience.most:
                raise ModelError(
                    f"model {self._label!r}: the server at {self._place} did not answer for "
                    f"{self._patience.most:g} s; at last: {course.told}"
                )
            self._sleep(wait)
