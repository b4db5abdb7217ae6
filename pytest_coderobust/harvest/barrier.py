"""Barrier around calls with drawn arguments: no file, no process, no network.

A drawn text could be a path, and a function of the package may delete what it names. Python's
audit events tell before such a thing happens; the barrier refuses, and the function is left out. It
guards honest programs, and is no sandbox.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from types import FrameType
from typing import Any

SECONDS = 0.5
"""Processor time of one call."""
TICK = 5.0
"""Seconds by the clock after which a call is looked at again."""
IDLE = 0.02
"""Processor time that a call takes within a tick at least, unless it waits; so does a slow one."""
MEMORY = 4 << 30
_REFUSED = (
    "os.", "shutil.", "subprocess.", "socket.", "tempfile.", "ctypes.", "urllib.", "ftplib.",
    "http.", "smtplib.", "webbrowser.", "sqlite3.", "pty.", "mmap.", "fcntl.", "builtins.input",
)  # fmt: skip
_ALLOWED = frozenset({"os.listdir", "os.scandir", "ctypes.dlsym"})
"""Events of imports."""


class RefusedDeedError(BaseException):
    """A function tried what the barrier refuses; not an Exception, so that it is not caught."""


class OutOfTimeError(BaseException):
    """A call took too much processor time."""


class WaitingCallError(BaseException):
    """A call waits for something that may never come: a queue, a lock, a sleep."""


class Barrier:
    """A barrier that stands between `begin` and `end`.

    Args:
        tick: seconds by the clock after which a call is looked at: whether it waits.

    Attributes:
        touched: the first event that was refused, or "".
        waited: a call waited.
    """

    def __init__(self, tick: float = TICK) -> None:
        self.touched = ""
        self.waited = False
        self._stands = False
        self._tick = tick
        self._used = 0.0
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.signal(signal.SIGPROF, _end)
        signal.signal(signal.SIGALRM, self._look)
        sys.addaudithook(self._hear)

    def begin(self) -> None:
        self._stands = True
        self._used = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.setitimer(signal.ITIMER_REAL, self._tick, self._tick)

    def end(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._stands = False

    def _look(self, _number: int, _frame: FrameType | None) -> None:
        """Ends a call that takes no processor time; a busy machine leaves it some."""
        before, self._used = self._used, time.process_time()
        if self._stands and self._used - before < IDLE:
            self.waited = True
            raise WaitingCallError

    def _hear(self, event: str, details: tuple[Any, ...]) -> None:
        if not self._stands:
            return
        if event == "open":
            if is_of_import(*details):
                return
        elif event in _ALLOWED or not event.startswith(_REFUSED):
            return
        self.touched = self.touched or event
        raise RefusedDeedError(event)


def is_of_import(path: object, mode: object, flags: int) -> bool:
    """Whether a file is opened to read a module."""
    reads = mode in ("r", "rb", None) and not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    return reads and str(path).endswith((".py", ".pyc", ".so"))


def _end(_number: int, _frame: FrameType | None) -> None:
    raise OutOfTimeError
