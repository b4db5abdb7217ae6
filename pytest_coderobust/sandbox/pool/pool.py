"""A thread pool: each thread hands checks to a worker process, and replaces it when it crashes."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Level, Verdict
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.pool.taken import CheckQueue, TakenChecks
from pytest_coderobust.sandbox.pool.workers import Worker, Workers

if TYPE_CHECKING:
    from typing_extensions import Self

ATTEMPTS = 2


class MachineLock:
    """A lock that many checks share, or one holds alone; whoever waits to be alone goes first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sharing = 0
        self._waiting = 0
        self._taken = False

    @contextmanager
    def shared(self) -> Generator[None, None, None]:
        """Holds the lock together with any others that share it."""
        with self._changed:
            self._changed.wait_for(lambda: not self._taken and not self._waiting)
            self._sharing += 1
        try:
            yield
        finally:
            with self._changed:
                self._sharing -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Generator[None, None, None]:
        """Waits until nobody holds the lock, and keeps everybody else out."""
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: not self._taken and not self._sharing)
            self._waiting -= 1
            self._taken = True
        try:
            yield
        finally:
            with self._changed:
                self._taken = False
                self._changed.notify_all()


class WorkerThread:
    """The body of one thread: settles the futures of queued checks until None comes.

    Args:
        threads: the number of threads that share the queue.
    """

    def __init__(
        self, checks: CheckQueue, workers: Workers, machine: MachineLock, threads: int = 1
    ) -> None:
        self._checks = TakenChecks(checks, threads)
        self._workers = workers
        self._machine = machine
        self._worker: Worker | None = None

    def run(self) -> None:
        while (queued := self._checks.take()) is not None:
            check, future = queued
            if future.set_running_or_notify_cancel():
                self._build_together(self._checks.take_along(check))
                self._settle(check, future)
            if self._workers.closed:
                self._checks.cancel()
        self._end_worker()

    def _build_together(self, checks: Sequence[Check]) -> None:
        """Lets the worker compile checks at once; each is compiled alone where that fails."""
        if len(checks) < 2:
            return
        try:
            self._worker = self._worker or self._workers.open()
            with self._machine.shared():
                self._worker.build_together(checks)
        except Exception:  # noqa: BLE001  what is lasting is said of each check when it is judged
            self._end_worker()

    def _settle(self, check: Check, future: Future[Verdict]) -> None:
        """Gives a future its verdict or its error."""
        try:
            verdict = self._judge(check)
        except SandboxError as error:
            future.set_exception(error)
        except Exception as error:  # noqa: BLE001  a fault of ours: nobody may wait for ever
            self._end_worker()  # its state is not known any more
            failed = SandboxError(f"the check cannot be judged: {type(error).__name__}: {error}")
            failed.__cause__ = error
            future.set_exception(failed)
        else:
            future.set_result(verdict)

    def _judge(self, check: Check) -> Verdict:
        """Gets a verdict from a worker, and tries once more where the machine is to blame.

        An attempt has three ends. A verdict ends it, unless the verdict is a timeout that a busy
        machine may have caused; the next attempt then has the machine to itself. A crash of the
        worker leads to another attempt in a new worker. Two crashes make a verdict of their own.

        Raises:
            SandboxError: the tests cannot be run, the sandbox was closed, or the solution got no
                processor even alone.
        """
        alone, status = False, 0
        for _ in range(ATTEMPTS):
            try:
                # The worker of the check before is still there, unless it crashed.
                self._worker = self._worker or self._workers.open()
                with self._machine.alone() if alone else self._machine.shared():
                    verdict, starved = self._worker.judge(check)
            except (EOFError, OSError):
                status = self._end_worker()
                if self._workers.closed:  # `close` interrupts workers, which looks like a crash
                    raise SandboxError("the sandbox was closed") from None
                if status == -signal.SIGPROF:
                    break  # the watchdog's processor time: the values take it, and would again
                # The watchdog's real time may have run out because others had the processors.
                alone = status == -signal.SIGALRM
            else:
                # "perhaps" alone is the solution's own doing; "surely" never is.
                if not starved or (alone and starved == "perhaps"):
                    return verdict
                alone = True
        # A worker that still lives here has answered "surely starved" in the last attempt.
        if self._worker is not None:
            raise SandboxError("the machine gave a solution no processor to run on")
        return self._judge_crash(check, status)

    def _judge_crash(self, check: Check, status: int) -> Verdict:
        """The verdict on a check that its worker did not survive. Raises SandboxError."""
        try:
            self._worker = self._workers.open()
            return crash_verdict(status, self._worker.count(check), self._workers.tier)
        except (SandboxError, EOFError, OSError) as error:
            self._end_worker()
            raise SandboxError(f"the checker cannot be started again: {error}") from error

    def _end_worker(self) -> int:
        """Ends the worker, if there is one; returns its exit status."""
        worker, self._worker = self._worker, None
        return self._workers.end(worker) if worker is not None else 0


def crash_verdict(status: int, total: int, tier: str) -> Verdict:
    """The verdict on a solution whose values ended the worker that tested them."""
    if status in (-signal.SIGPROF, -signal.SIGALRM):
        detail = "the tests did not end on the values that the solution returned"
        return Verdict(Level.LOAD, 0, total, "timeout", detail, tier)
    detail = "the checker died on what the solution returned"
    return Verdict(Level.LOAD, 0, total, "died", detail, tier)


class Pool:
    """A Sandbox of `workers` worker processes.

    The first worker starts at once and finds the tier; the others start when there is work.
    """

    def __init__(self, workers: int, tiers: Sequence[str]) -> None:
        self._checks: CheckQueue = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._wanted = workers
        self._threads: list[threading.Thread] = []
        self._machine = MachineLock()
        self._workers = Workers(tiers)

    @property
    def tier(self) -> str:
        return self._workers.tier

    @property
    def workers(self) -> int:
        return self._wanted

    @property
    def forks(self) -> int:
        """Number of candidates' processes that workers have reported, probes included."""
        return self._workers.forks

    def submit(self, check: Check) -> Future[Verdict]:
        """Queues a check. Raises SandboxError after `close`."""
        future: Future[Verdict] = Future()
        with self._lock:
            if self._closed:
                raise SandboxError("the sandbox is closed")
            self._checks.put((check, future))
            if len(self._threads) < self._wanted:
                body = WorkerThread(self._checks, self._workers, self._machine, self._wanted)
                thread = threading.Thread(target=body.run, daemon=True)
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
                queued = self._checks.get_nowait()
                if queued is not None:
                    queued[1].cancel()
        for _ in self._threads:
            self._checks.put(None)
        self._workers.interrupt()
        for thread in self._threads:
            thread.join()
        self._workers.remove_folders()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
