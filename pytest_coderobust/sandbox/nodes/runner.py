"""Runs a job that many threads ask for in one of them at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable


class OneRunner:
    """Runs a job once after each time it was asked for, or once for several times.

    Who asks while it runs does not wait: the thread that runs it does so once more. A job may ask
    for itself. After a job that raised, the next who asks runs it.
    """

    def __init__(self, job: Callable[[], None]) -> None:
        self._job = job
        self._lock = threading.Lock()
        self._running = False
        self._asked = False

    def run(self) -> None:
        with self._lock:
            self._asked = True
            if self._running:
                return
            self._running = True
        try:
            while self._go_on():
                self._job()
        except BaseException:  # Ctrl-C in it must not look like a run that goes on for ever
            with self._lock:
                self._running = False
            raise

    def _go_on(self) -> bool:
        """Whether somebody has asked since the job began."""
        with self._lock:
            self._running, self._asked = self._asked, False
            return self._running
