"""Worker processes: each runs the trusted tests of one check at a time, apart from pytest."""

from __future__ import annotations

import itertools
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import coderobust_strategies
from pytest_coderobust import errors
from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Verdict
from pytest_coderobust.sandbox.cage.frames import pack, receive, send
from pytest_coderobust.sandbox.cage.namespaces import WORK
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.conversation import Starved
from pytest_coderobust.sandbox.judge.prediction import CallList, Predictions, TestsAndName
from pytest_coderobust.sandbox.judge.process import (
    FRAME_BYTES,
    read_verdict,
    write_check,
    write_tests,
)

END_SECONDS = 5.0
ELSEWHERE = "/var/tmp"  # noqa: S108
KEPT = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR")
# The checker imports this very package, whatever else is installed, and then looks for the
# libraries of tests where this process would.
BOOT = """
import json, sys
roots, path, *rest = json.loads(sys.argv[1])
sys.path[:0] = roots
import coderobust_strategies, pytest_coderobust
del sys.path[:len(roots)]
sys.path += [entry for entry in path if entry not in sys.path]
from pytest_coderobust.sandbox.judge.process import main
main(*rest)
"""


def worker_environment() -> dict[str, str]:
    """Environment of a worker: what libraries need, and no token of the caller's."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Worker:
    """One worker process; owned by one thread.

    Args:
        scratch: a folder of its own, to be made.
        shared: a folder that all workers of a pool use.
        predictions: calls that any of them has learned; a dictionary needs no lock for this.
    """

    def __init__(
        self, scratch: Path, shared: Path, tiers: Sequence[str], predictions: Predictions
    ) -> None:
        scratch.mkdir()
        ours, theirs = socket.socketpair()
        self._alive, alive = os.pipe()
        self._busy = False
        self._predictions = predictions
        self._sent: dict[TestsAndName, CallList] = {}  # predictions that this process knows
        self.forks = 0
        roots = [
            str(Path(str(module.__file__)).parents[1]) for module in (errors, coderobust_strategies)
        ]
        path = [entry for entry in sys.path if entry]
        folders = [str(scratch), str(shared)]
        passed = (theirs.fileno(), alive)
        plan = json.dumps([roots, path, *passed, *folders, list(tiers)])
        self._process = subprocess.Popen(  # noqa: S603  our own interpreter and text
            [sys.executable, "-I", "-c", BOOT, plan],
            pass_fds=passed,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=worker_environment(),
            start_new_session=True,  # Ctrl-C is for pytest, which then closes the pool
        )
        theirs.close()
        os.close(alive)
        self._sock = ours
        self.tier = str(self._read_greeting()["tier"])

    def _read_greeting(self) -> Any:
        try:
            greeting = receive(self._sock.fileno(), FRAME_BYTES)
        except (EOFError, OSError):
            assert self._process.stderr is not None
            said = self._process.stderr.read()[-300:].decode(errors="replace").strip()
            greeting = {"error": f"the checker did not start: {said}"}
        if "error" in greeting:
            self.close()
            raise SandboxError(greeting["error"])
        return greeting

    def judge(self, check: Check) -> tuple[Verdict, Starved]:
        """Returns the verdict, and whether it is a timeout that is the machine's fault.

        Raises:
            EOFError, OSError: the checker died.
            SandboxError: the tests cannot be run.
            WireError, TypeError, ValueError: the check cannot be written; nothing was sent.
        """
        key = (check.tests, check.entry_point)
        frames = pack(write_check(check), FRAME_BYTES)
        calls = self._predictions.get(key)
        if calls is not None and self._sent.get(key) is not calls:
            self._sent[key] = calls
            frames = pack({"calls": calls, "of": write_tests(key)}, FRAME_BYTES) + frames
        self._busy = True
        self._sock.sendall(frames)
        reply = receive(self._sock.fileno(), FRAME_BYTES)
        self._busy = False
        if "error" in reply:
            raise SandboxError(reply["error"])
        self.forks = int(reply["forks"])
        if "learned" in reply:
            self._sent[key] = reply["learned"]
            self._predictions.learn(key, reply["learned"])
        return read_verdict(reply["verdict"]), reply["starved"]

    def build_together(self, checks: Sequence[Check]) -> None:
        """Compiles checks of one language that this worker judges next.

        Raises:
            EOFError, OSError: the checker died.
            WireError, TypeError, ValueError: a check cannot be written; nothing was sent.
        """
        frames = pack({"together": [write_check(each) for each in checks]}, FRAME_BYTES)
        self._busy = True
        self._sock.sendall(frames)
        receive(self._sock.fileno(), FRAME_BYTES)
        self._busy = False

    def count(self, check: Check) -> int:
        """Returns the number of tests that a check holds."""
        send(self._sock.fileno(), {"count": write_check(check)}, FRAME_BYTES)
        return int(receive(self._sock.fileno(), FRAME_BYTES)["total"])

    def interrupt(self) -> None:
        """Makes a `judge` under way fail; may be called from another thread."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> int:
        """Ends the process and all below it; returns its exit status."""
        self.interrupt()
        self._sock.close()
        try:
            self._process.wait(timeout=0.1 if self._busy else END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        # The fork server notices by itself; this waits until it and its candidate are gone.
        select.select([self._alive], [], [], END_SECONDS)
        os.close(self._alive)
        if self._process.stderr is not None:
            self._process.stderr.close()
        return self._process.returncode


class Workers:
    """Opens, counts and ends worker processes that are all as isolated as the first.

    Attributes:
        tier: the isolation of the first worker, and so of each.
        shared: a folder that all workers use, and every cage may see.
    """

    def __init__(self, tiers: Sequence[str]) -> None:
        self._lock = threading.Lock()
        self._living: set[Worker] = set()
        self._gone = 0  # forks of workers that have ended
        self._closed = False
        self._predictions = Predictions()
        self._scratch = tempfile.TemporaryDirectory(prefix="coderobust-")
        # A candidate's own user must reach its folder below, and list nothing on the way.
        Path(self._scratch.name).chmod(0o711)
        self._shared = tempfile.TemporaryDirectory(prefix="coderobust-", dir=find_shared_place())
        self.shared = Path(self._shared.name)
        self.shared.chmod(0o711)
        self._serial = itertools.count()
        self._tiers = tuple(tiers)
        try:
            self._first: Worker | None = self._open()
        except SandboxError:
            self.remove_folders()
            raise
        self.tier = self._first.tier
        self._tiers = (self.tier,)

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def forks(self) -> int:
        """Number of candidates' processes that workers have reported, probes included."""
        with self._lock:
            return self._gone + sum(worker.forks for worker in self._living)

    def open(self) -> Worker:
        """Returns a worker that nobody uses. Raises SandboxError when it cannot be started."""
        with self._lock:
            first, self._first = self._first, None
        return first or self._open()

    def _open(self) -> Worker:
        scratch = Path(self._scratch.name) / str(next(self._serial))
        worker = Worker(scratch, self.shared, self._tiers, self._predictions)
        with self._lock:
            self._living.add(worker)
            closed = self._closed
        if closed:
            worker.interrupt()
        return worker

    def end(self, worker: Worker) -> int:
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
            self.end(first)

    def remove_folders(self) -> None:
        self._scratch.cleanup()
        self._shared.cleanup()


def find_shared_place() -> str | None:
    """Finds a place for what every cage may see: not below the folder that cages hide."""
    usual = Path(tempfile.gettempdir()).resolve()
    hidden = Path(WORK) in (usual, *usual.parents)
    if hidden and os.access(ELSEWHERE, os.W_OK):
        return ELSEWHERE
    return None
