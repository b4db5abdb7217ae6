"""A lane: one worker, checks in a row, the next one on its way while the first is judged."""

from __future__ import annotations

import queue
import signal
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeAlias

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Level, Verdict
from pytest_coderobust.sandbox.cage.frames import WireError
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.session import Starved
from pytest_coderobust.sandbox.staff import Staff
from pytest_coderobust.sandbox.turns import Turns
from pytest_coderobust.sandbox.worker import Worker

ATTEMPTS = 2
AHEAD = 2
"""How many checks a worker has: one that it judges, one that it need not wait for."""
Item: TypeAlias = "tuple[Check, Future[Verdict]]"
Waiting: TypeAlias = "queue.SimpleQueue[Item | None]"


@dataclass(slots=True)
class Job:
    """A check on its way.

    Attributes:
        attempts: how often it came to nothing.
        alone: nothing else may run beside it.
        sent: the worker has it.
    """

    check: Check
    future: Future[Verdict]
    attempts: int = 0
    alone: bool = False
    sent: bool = False


class Lane:
    """Settles futures until the queue says None; the body of one thread.

    Args:
        lanes: how many there are; the last checks of a queue are left to whoever is free.
    """

    def __init__(self, waiting: Waiting, staff: Staff, turns: Turns, lanes: int) -> None:
        self._waiting = waiting
        self._staff = staff
        self._turns = turns
        self._lanes = lanes
        self._line: deque[Job] = deque()
        self._worker: Worker | None = None
        self._sharing = False
        self._ending = False

    def run(self) -> None:
        """A thread's life: take a check, have it judged, replace a worker that died."""
        while self._fill():
            self._advance()
        if self._worker is not None:
            self._staff.dismiss(self._worker)

    def _fill(self) -> bool:
        """Takes what there is room for; False when there is nothing left to do."""
        while not self._line and not self._ending:
            self._take(self._waiting.get())
        while len(self._line) < AHEAD and self._waiting.qsize() > self._lanes:
            try:
                self._take(self._waiting.get_nowait())
            except queue.Empty:
                break
        return bool(self._line)

    def _take(self, item: Item | None) -> None:
        if item is None:
            self._ending = True
        elif item[1].set_running_or_notify_cancel():
            self._line.append(Job(*item))

    def _advance(self) -> None:
        """Brings the first of the line one attempt on."""
        job = self._line[0]
        try:
            self._worker = self._worker or self._staff.open()
            verdict, starved = self._judged(self._worker, job)
        except SandboxError as error:
            self._line.popleft()
            job.future.set_exception(error)
        except (EOFError, OSError):
            self._lose(job)
        except Exception as error:  # noqa: BLE001  a fault of ours: nobody may wait for ever
            self._give_up(job, error)
        else:
            self._settle(job, verdict, starved)
        finally:
            if self._sharing and not any(each.sent for each in self._line):
                self._turns.unshare()
                self._sharing = False

    def _judged(self, worker: Worker, job: Job) -> tuple[Verdict, Starved]:
        if job.alone:
            with self._turns.alone():
                worker.send(job.check)
                return worker.receive()
        for each in self._line:
            if each is not job and (each.alone or self._turns.wanted):
                break
            if not each.sent and not self._send(worker, each):
                break
        return worker.receive()

    def _send(self, worker: Worker, job: Job) -> bool:
        """Sends a job, the first or the one behind it; False: this one must wait for its turn."""
        if not self._sharing:
            self._turns.share()
            self._sharing = True
        try:
            worker.send(job.check)
        except (WireError, TypeError, ValueError):
            if job is self._line[0]:
                raise
            return False  # it will be the first, and fail as such
        job.sent = True
        return True

    def _settle(self, job: Job, verdict: Verdict, starved: Starved) -> None:
        self._line.popleft()
        # A timeout on a busy machine is tried once more with the machine to itself.
        if not starved or (job.alone and starved == "perhaps"):
            job.future.set_result(verdict)
            return
        job.attempts, job.alone, job.sent = job.attempts + 1, True, False
        if job.attempts < ATTEMPTS:
            self._line.append(job)
        else:
            error = SandboxError("the machine gave a solution no processor to run on")
            job.future.set_exception(error)

    def _give_up(self, job: Job, error: Exception) -> None:
        """Something that nobody foresaw; the worker's state is not known any more."""
        self._dismiss()
        self._line.remove(job)
        failed = SandboxError(f"the check cannot be judged: {type(error).__name__}: {error}")
        failed.__cause__ = error
        job.future.set_exception(failed)

    def _dismiss(self) -> int:
        """Ends the worker; what was sent to it is to be sent again. Returns its exit status."""
        status = self._staff.dismiss(self._worker) if self._worker is not None else 0
        self._worker = None
        for each in self._line:
            each.sent = False
        return status

    def _lose(self, job: Job) -> None:
        """The worker died on a job."""
        status = self._dismiss()
        if self._staff.closed:
            for each in self._line:
                each.future.set_exception(SandboxError("the sandbox was closed"))
            self._line.clear()
            return
        job.attempts, job.alone = job.attempts + 1, status == -signal.SIGALRM
        # Processor time is the values' fault, and would be again.
        if status == -signal.SIGPROF or job.attempts == ATTEMPTS:
            self._line.popleft()
            self._bury(job, status)

    def _bury(self, job: Job, status: int) -> None:
        """Settles the future of a check that its checker did not survive."""
        try:
            self._worker = self._staff.open()
            total = self._worker.count(job.check)
            job.future.set_result(casualty(status, total, self._staff.tier))
        except (SandboxError, EOFError, OSError) as error:
            self._dismiss()
            failed = SandboxError(f"the checker cannot be started again: {error}")
            job.future.set_exception(failed)


def casualty(status: int, total: int, tier: str) -> Verdict:
    """What is said of a solution that its checker did not survive."""
    if status in (-signal.SIGPROF, -signal.SIGALRM):
        detail = "the tests did not end on the values that the solution returned"
        return Verdict(Level.LOAD, 0, total, "timeout", detail, tier)
    detail = "the checker died on what the solution returned"
    return Verdict(Level.LOAD, 0, total, "died", detail, tier)
