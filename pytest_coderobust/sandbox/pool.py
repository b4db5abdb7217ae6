"""The pool: N checker processes, one queue, futures out."""

from __future__ import annotations

import itertools
import os
import queue
import signal
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Level, Verdict
from pytest_coderobust.sandbox.cage.namespaces import WORK
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.turns import Turns
from pytest_coderobust.sandbox.worker import Worker

if TYPE_CHECKING:
    from typing_extensions import Self

ATTEMPTS = 2
ELSEWHERE = "/var/tmp"  # noqa: S108


class Pool:
    """A Sandbox of `workers` checker processes.

    The first worker starts at once and tells the tier; the others when there is work for them.
    """

    def __init__(self, workers: int, tiers: Sequence[str]) -> None:
        self._queue: queue.SimpleQueue[tuple[Check, Future[Verdict]] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._wanted = workers
        self._workers: set[Worker] = set()
        self._retired = 0  # forks of workers that are gone
        self._threads: list[threading.Thread] = []
        self._scratch = tempfile.TemporaryDirectory(prefix="coderobust-")
        # A candidate's own user must reach its folder below, and list nothing on the way.
        Path(self._scratch.name).chmod(0o711)
        self._shared = tempfile.TemporaryDirectory(prefix="coderobust-", dir=shared_place())
        Path(self._shared.name).chmod(0o711)
        self._serial = itertools.count()
        self._turns = Turns()
        self._tiers = tuple(tiers)
        try:
            first = self._open()
        except SandboxError:
            self._cleanup()
            raise
        # Every worker is as isolated as the first, or does not start.
        self._tier = first.tier
        self._tiers = (first.tier,)
        self._start(first)

    @property
    def tier(self) -> str:
        return self._tier

    @property
    def forks(self) -> int:
        """How many candidates' processes there have been, probes included."""
        with self._lock:
            return self._retired + sum(worker.forks for worker in self._workers)

    def submit(self, check: Check) -> Future[Verdict]:
        """Queues a check. Raises SandboxError after `close`."""
        future: Future[Verdict] = Future()
        with self._lock:
            if self._closed:
                raise SandboxError("the sandbox is closed")
            self._queue.put((check, future))
            if len(self._threads) < self._wanted:
                self._start(None)
        return future

    def close(self) -> None:
        """Cancels what has not begun and ends every process."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            workers = list(self._workers)
        with suppress(queue.Empty):
            while True:
                item = self._queue.get_nowait()
                if item is not None:
                    item[1].cancel()
        for _ in self._threads:
            self._queue.put(None)
        for worker in workers:
            worker.interrupt()
        for thread in self._threads:
            thread.join()
        self._cleanup()

    def _cleanup(self) -> None:
        self._scratch.cleanup()
        self._shared.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> Worker:
        scratch = Path(self._scratch.name) / str(next(self._serial))
        return Worker(scratch, Path(self._shared.name), self._tiers)

    def _start(self, worker: Worker | None) -> None:
        thread = threading.Thread(target=self._serve, args=(worker,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, worker: Worker | None) -> None:
        """A thread's life: take a check, have it judged, replace a worker that died."""
        if worker is not None:
            self._adopt(worker)
        while (item := self._queue.get()) is not None:
            check, future = item
            if not future.set_running_or_notify_cancel():
                continue
            worker = self._settle(worker, check, future)
        self._discard(worker)

    def _settle(
        self, worker: Worker | None, check: Check, future: Future[Verdict]
    ) -> Worker | None:
        """Settles one future; returns the worker to go on with."""
        alone, status = False, 0
        for _ in range(ATTEMPTS):
            try:
                worker = worker or self._adopt(self._open())
                with self._turns.alone() if alone else self._turns.shared():
                    verdict, starved = worker.judge(check)
            except SandboxError as error:
                future.set_exception(error)
                return worker
            except (EOFError, OSError):
                status = self._discard(worker)
                worker = None
                if self._closed:
                    future.set_exception(SandboxError("the sandbox was closed"))
                    return None
                if status == -signal.SIGPROF:
                    break  # processor time: it is the values' fault and would be again
                alone = status == -signal.SIGALRM
            else:
                # A timeout on a busy machine is tried once more with the machine to itself.
                if not starved or (alone and starved == "perhaps"):
                    future.set_result(verdict)
                    return worker
                alone = True
        if worker is not None:
            future.set_exception(SandboxError("the machine gave a solution no processor to run on"))
            return worker
        return self._bury(check, future, status)

    def _bury(self, check: Check, future: Future[Verdict], status: int) -> Worker | None:
        """Settles the future of a check that its checker did not survive."""
        worker = None
        try:
            worker = self._adopt(self._open())
            future.set_result(casualty(status, worker.count(check), self._tier))
        except (SandboxError, EOFError, OSError) as error:
            future.set_exception(SandboxError(f"the checker cannot be started again: {error}"))
        return worker

    def _adopt(self, worker: Worker) -> Worker:
        with self._lock:
            self._workers.add(worker)
            closed = self._closed
        if closed:
            worker.interrupt()
        return worker

    def _discard(self, worker: Worker | None) -> int:
        """Ends a worker; returns its exit status, minus the signal that killed it."""
        if worker is None:
            return 0
        with self._lock:
            self._workers.discard(worker)
            self._retired += worker.forks
        return worker.close()


def shared_place() -> str | None:
    """Where to keep what every cage may see: not below the folder that cages hide."""
    usual = Path(tempfile.gettempdir()).resolve()
    hidden = Path(WORK) in (usual, *usual.parents)
    if hidden and os.access(ELSEWHERE, os.W_OK):
        return ELSEWHERE
    return None


def casualty(status: int, total: int, tier: str) -> Verdict:
    """What is said of a solution that its checker did not survive."""
    if status in (-signal.SIGPROF, -signal.SIGALRM):
        detail = "the tests did not end on the values that the solution returned"
        return Verdict(Level.LOAD, 0, total, "timeout", detail, tier)
    detail = "the checker died on what the solution returned"
    return Verdict(Level.LOAD, 0, total, "died", detail, tier)
