"""One checker process, seen from the pool."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import coderobust_strategies
from pytest_coderobust import errors
from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Verdict
from pytest_coderobust.sandbox.cage.frames import pack, receive, send
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.conversation import Starved
from pytest_coderobust.sandbox.judge.process import (
    FRAME_BYTES,
    read_verdict,
    write_asking,
    write_check,
)
from pytest_coderobust.sandbox.judge.scripts import Asking, Calls, Scripts

END_SECONDS = 5.0
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


def environment() -> dict[str, str]:
    """A checker's environment: what libraries need, and no token of the caller's."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Worker:
    """One checker process; owned by one thread.

    Args:
        scratch: a folder of its own, to be made.
        shared: one that all workers of a pool use.
        scripts: what any of them has learned; dictionaries of Python need no lock for this.
    """

    def __init__(self, scratch: Path, shared: Path, tiers: Sequence[str], scripts: Scripts) -> None:
        scratch.mkdir()
        ours, theirs = socket.socketpair()
        self._alive, alive = os.pipe()
        self._busy = False
        self._scripts = scripts
        self._told: dict[Asking, Calls] = {}
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
            env=environment(),
            start_new_session=True,  # Ctrl-C is for pytest, which then closes the pool
        )
        theirs.close()
        os.close(alive)
        self._sock = ours
        self.tier = str(self._ask_greeting()["tier"])

    def _ask_greeting(self) -> Any:
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
        """The verdict, and whether it is a timeout that is the machine's fault.

        Raises:
            EOFError, OSError: the checker died.
            SandboxError: the tests cannot be run.
            WireError, TypeError, ValueError: the check cannot be written; nothing was sent.
        """
        asking = (check.tests, check.entry_point)
        frames = pack(write_check(check), FRAME_BYTES)
        script = self._scripts.get(asking)
        if script is not None and self._told.get(asking) is not script:
            self._told[asking] = script
            frames = pack({"script": script, "asking": write_asking(asking)}, FRAME_BYTES) + frames
        self._busy = True
        self._sock.sendall(frames)
        reply = receive(self._sock.fileno(), FRAME_BYTES)
        self._busy = False
        if "error" in reply:
            raise SandboxError(reply["error"])
        self.forks = int(reply["forks"])
        if "learned" in reply:
            self._told[asking] = reply["learned"]
            self._scripts.learn(asking, reply["learned"])
        return read_verdict(reply["verdict"]), reply["starved"]

    def count(self, check: Check) -> int:
        """The number of tests that a check holds."""
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
