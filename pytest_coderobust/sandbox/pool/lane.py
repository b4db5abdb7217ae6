"""A lane: one thread, one worker, one check after another."""

from __future__ import annotations

import queue
import signal
from concurrent.futures import Future
from typing import TypeAlias

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Level, Verdict
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.pool.staff import Staff
from pytest_coderobust.sandbox.pool.turns import Turns
from pytest_coderobust.sandbox.pool.worker import Worker

ATTEMPTS = 2
Item: TypeAlias = "tuple[Check, Future[Verdict]]"
Waiting: TypeAlias = "queue.SimpleQueue[Item | None]"


class Lane:
    """Settles futures until the queue says None; the body of one thread."""

    def __init__(self, waiting: Waiting, staff: Staff, turns: Turns) -> None:
        self._waiting = waiting
        self._staff = staff
        self._turns = turns
        self._worker: Worker | None = None

    def run(self) -> None:
        """A thread's life: take a check, have it judged, replace a worker that died."""
        while (item := self._waiting.get()) is not None:
            check, future = item
            if future.set_running_or_notify_cancel():
                self._settle(check, future)
        self._dismiss()

    def _settle(self, check: Check, future: Future[Verdict]) -> None:
        try:
            verdict = self._judged(check)
        except SandboxError as error:
            future.set_exception(error)
        except Exception as error:  # noqa: BLE001  a fault of ours: nobody may wait for ever
            self._dismiss()  # its state is not known any more
            failed = SandboxError(f"the check cannot be judged: {type(error).__name__}: {error}")
            failed.__cause__ = error
            future.set_exception(failed)
        else:
            future.set_result(verdict)

    def _judged(self, check: Check) -> Verdict:
        """The verdict, from a worker that lives and had a processor. Raises SandboxError."""
        alone, status = False, 0
        for _ in range(ATTEMPTS):
            try:
                self._worker = self._worker or self._staff.open()
                with self._turns.alone() if alone else self._turns.shared():
                    verdict, starved = self._worker.judge(check)
            except (EOFError, OSError):
                status = self._dismiss()
                if self._staff.closed:
                    raise SandboxError("the sandbox was closed") from None
                if status == -signal.SIGPROF:
                    break  # processor time: it is the values' fault and would be again
                alone = status == -signal.SIGALRM
            else:
                # A timeout on a busy machine is tried once more with the machine to itself.
                if not starved or (alone and starved == "perhaps"):
                    return verdict
                alone = True
        if self._worker is not None:
            raise SandboxError("the machine gave a solution no processor to run on")
        return self._buried(check, status)

    def _buried(self, check: Check, status: int) -> Verdict:
        """The verdict on a check that its checker did not survive. Raises SandboxError."""
        try:
            self._worker = self._staff.open()
            return casualty(status, self._worker.count(check), self._staff.tier)
        except (SandboxError, EOFError, OSError) as error:
            self._dismiss()
            raise SandboxError(f"the checker cannot be started again: {error}") from error

    def _dismiss(self) -> int:
        """Ends the worker, if there is one; returns its exit status."""
        worker, self._worker = self._worker, None
        return self._staff.dismiss(worker) if worker is not None else 0


def casualty(status: int, total: int, tier: str) -> Verdict:
    """What is said of a solution that its checker did not survive."""
    if status in (-signal.SIGPROF, -signal.SIGALRM):
        detail = "the tests did not end on the values that the solution returned"
        return Verdict(Level.LOAD, 0, total, "timeout", detail, tier)
    detail = "the checker died on what the solution returned"
    return Verdict(Level.LOAD, 0, total, "died", detail, tier)
