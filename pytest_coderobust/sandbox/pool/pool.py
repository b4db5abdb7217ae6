"""The pool: N workers, one queue, futures out."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Verdict
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.pool.lane import Lane, Waiting
from pytest_coderobust.sandbox.pool.staff import Staff
from pytest_coderobust.sandbox.pool.turns import Turns

if TYPE_CHECKING:
    from typing_extensions import Self


class Pool:
    """A Sandbox of `workers` checker processes.

    The first worker starts at once and tells the tier; the others when there is work for them.
    """

    def __init__(self, workers: int, tiers: Sequence[str]) -> None:
        self._waiting: Waiting = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._wanted = workers
        self._threads: list[threading.Thread] = []
        self._turns = Turns()
        self._staff = Staff(tiers)

    @property
    def tier(self) -> str:
        return self._staff.tier

    @property
    def forks(self) -> int:
        """How many candidates' processes workers have told of, probes included."""
        return self._staff.forks

    def submit(self, check: Check) -> Future[Verdict]:
        """Queues a check. Raises SandboxError after `close`."""
        future: Future[Verdict] = Future()
        with self._lock:
            if self._closed:
                raise SandboxError("the sandbox is closed")
            self._waiting.put((check, future))
            if len(self._threads) < self._wanted:
                lane = Lane(self._waiting, self._staff, self._turns)
                thread = threading.Thread(target=lane.run, daemon=True)
                self._threads.append(thread)
                thread.start()
        return future

    def close(self) -> None:
        """Cancels what has not begun and ends every process."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        with suppress(queue.Empty):
            while True:
                item = self._waiting.get_nowait()
                if item is not None:
                    item[1].cancel()
        for _ in self._threads:
            self._waiting.put(None)
        self._staff.interrupt()
        for thread in self._threads:
            thread.join()
        self._staff.clean()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
