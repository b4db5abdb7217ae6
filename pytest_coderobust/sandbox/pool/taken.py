"""Checks that a thread has taken from the queue, so that they are compiled together."""

from __future__ import annotations

import queue
from collections import deque
from concurrent.futures import Future
from typing import TypeAlias

from pytest_coderobust.records import Language, Verdict
from pytest_coderobust.sandbox.check import Check

QueuedCheck: TypeAlias = "tuple[Check, Future[Verdict]]"
CheckQueue: TypeAlias = "queue.SimpleQueue[QueuedCheck | None]"

TOGETHER: dict[Language, int] = {"java": 8}
"""Most checks that are compiled together, by language."""


class TakenChecks:
    """The checks of one thread, in the order of the queue.

    Args:
        threads: the number of threads; each takes no more than its share of what waits.
    """

    def __init__(self, checks: CheckQueue, threads: int) -> None:
        self._checks = checks
        self._threads = threads
        self._held: deque[QueuedCheck] = deque()

    def take(self) -> QueuedCheck | None:
        """Takes the next check, and waits for it; None when there are no more."""
        return self._held.popleft() if self._held else self._checks.get()

    def take_along(self, check: Check) -> list[Check]:
        """Takes more checks that wait; lists those to compile together with one, it among them."""
        if self._held or check.language not in TOGETHER:
            return []
        more = min(TOGETHER[check.language] - 1, self._checks.qsize() // self._threads)
        while len(self._held) < more:
            try:
                queued = self._checks.get_nowait()
            except queue.Empty:
                break
            if queued is None:
                self._checks.put(None)  # it ends a thread, and this one has work
                break
            self._held.append(queued)
        return [check, *(each for each, _ in self._held if each.language == check.language)]

    def cancel(self) -> None:
        """Cancels what has not begun."""
        while self._held:
            self._held.popleft()[1].cancel()
