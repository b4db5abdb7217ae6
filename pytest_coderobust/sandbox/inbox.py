"""A checker's inbox: what the pool sends, the next check at hand before it is due."""

from __future__ import annotations

import select
from typing import Any

from pytest_coderobust.records import ApiChange, Limits, Tests
from pytest_coderobust.sandbox.cage.frames import receive
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge import Judge
from pytest_coderobust.sandbox.scripts import Asking

FRAME_BYTES = 1 << 30  # between trusted sides: a cap against bugs, not against enemies


class Inbox:
    """Reads checks from the pool's socket, and gives scripts on the way to the judge."""

    def __init__(self, fd: int, judge: Judge) -> None:
        self._fd = fd
        self._judge = judge
        self._poller = select.poll()
        self._poller.register(fd, select.POLLIN)
        self._next: tuple[Check, bool] | None = None

    def take(self) -> tuple[Check, bool]:
        """The next check, and whether it is to be counted only; waits for it.

        Raises:
            EOFError, OSError: the pool is gone.
        """
        while self._next is None:
            self._read()
        taken, self._next = self._next, None
        return taken

    def peek(self) -> Check | None:
        """The next check where it is there to be judged; errors as `take`."""
        while self._next is None and self._poller.poll(0):
            self._read()
        if self._next is None or self._next[1]:
            return None
        return self._next[0]

    def _read(self) -> None:
        message = receive(self._fd, FRAME_BYTES)
        if "script" in message:
            self._judge.learn(read_asking(message["asking"]), message["script"])
        elif "count" in message:
            self._next = read_check(message["count"]), True
        else:
            self._next = read_check(message), False


def read_asking(message: Any) -> Asking:
    """What a script in a frame's message is for."""
    *tests, entry_point = message
    return Tests(*tests), entry_point


def read_check(message: Any) -> Check:
    """The check in a frame's message."""
    found = dict(message)
    found["tests"] = Tests(*found["tests"])
    found["limits"] = Limits(*found["limits"])
    found["api_changes"] = tuple(ApiChange(*change) for change in found["api_changes"])
    return Check(**found)
