"""The staff of a pool: its worker processes, opened, counted and ended."""

from __future__ import annotations

import itertools
import os
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.sandbox.cage.namespaces import WORK
from pytest_coderobust.sandbox.judge.scripts import Scripts
from pytest_coderobust.sandbox.pool.worker import Worker

ELSEWHERE = "/var/tmp"  # noqa: S108


class Staff:
    """Opens workers that are all as isolated as the first.

    Attributes:
        tier: the isolation of the first worker, and so of each.
    """

    def __init__(self, tiers: Sequence[str]) -> None:
        self._lock = threading.Lock()
        self._living: set[Worker] = set()
        self._gone = 0  # forks of workers that have ended
        self._closed = False
        self._scripts = Scripts()
        self._scratch = tempfile.TemporaryDirectory(prefix="coderobust-")
        # A candidate's own user must reach its folder below, and list nothing on the way.
        Path(self._scratch.name).chmod(0o711)
        self._shared = tempfile.TemporaryDirectory(prefix="coderobust-", dir=shared_place())
        Path(self._shared.name).chmod(0o711)
        self._serial = itertools.count()
        self._tiers = tuple(tiers)
        try:
            self._first: Worker | None = self._open()
        except SandboxError:
            self.clean()
            raise
        self.tier = self._first.tier
        self._tiers = (self.tier,)

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def forks(self) -> int:
        """How many candidates' processes workers have told of, probes included."""
        with self._lock:
            return self._gone + sum(worker.forks for worker in self._living)

    def open(self) -> Worker:
        """A worker that nobody uses. Raises SandboxError when it cannot be started."""
        with self._lock:
            first, self._first = self._first, None
        return first or self._open()

    def _open(self) -> Worker:
        scratch = Path(self._scratch.name) / str(next(self._serial))
        worker = Worker(scratch, Path(self._shared.name), self._tiers, self._scripts)
        with self._lock:
            self._living.add(worker)
            closed = self._closed
        if closed:
            worker.interrupt()
        return worker

    def dismiss(self, worker: Worker) -> int:
        """Ends a worker; returns its exit status, minus the signal that killed it."""
        with self._lock:
            self._living.discard(worker)
            self._gone += worker.forks
        return worker.close()

    def interrupt(self) -> None:
        """Makes every worker's work fail, now and ever after."""
        with self._lock:
            self._closed = True
            living, first = list(self._living), self._first
            self._first = None
        for worker in living:
            worker.interrupt()
        if first is not None:
            self.dismiss(first)

    def clean(self) -> None:
        """Removes the folders."""
        self._scratch.cleanup()
        self._shared.cleanup()


def shared_place() -> str | None:
    """Where to keep what every cage may see: not below the folder that cages hide."""
    usual = Path(tempfile.gettempdir()).resolve()
    hidden = Path(WORK) in (usual, *usual.parents)
    if hidden and os.access(ELSEWHERE, os.W_OK):
        return ELSEWHERE
    return None
