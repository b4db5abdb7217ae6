"""Fence around calls with drawn arguments: no file, no process, no network.

A drawn text could be a path, and a function of the package may delete what it names. Python's
audit events tell before such a thing happens; the fence refuses, and the function is left out. It
guards honest programs, and is no sandbox.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from types import FrameType
from typing import Any

SECONDS = 0.5
"""Processor time of one call."""
MEMORY = 4 << 30
_REFUSED = (
    "os.", "shutil.", "subprocess.", "socket.", "tempfile.", "ctypes.", "urllib.", "ftplib.",
    "http.", "smtplib.", "webbrowser.", "sqlite3.", "pty.", "mmap.", "fcntl.", "builtins.input",
)  # fmt: skip
_ALLOWED = frozenset({"os.listdir", "os.scandir", "ctypes.dlsym"})
"""Events of imports."""


class RefusedDeedError(BaseException):
    """A function tried what the fence refuses; not an Exception, so that it is not caught."""


class OutOfTimeError(BaseException):
    """A call took too much processor time."""


class Fence:
    """A fence that stands between `begin` and `end`.

    Attributes:
        touched: the first event that was refused, or "".
    """

    def __init__(self) -> None:
        self.touched = ""
        self._stands = False
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.signal(signal.SIGPROF, _end)
        sys.addaudithook(self._hear)

    def begin(self) -> None:
        self._stands = True
        signal.setitimer(signal.ITIMER_PROF, SECONDS)

    def end(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        self._stands = False

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
