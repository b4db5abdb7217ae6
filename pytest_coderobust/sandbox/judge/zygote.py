"""Starts and drives one zygote from the trusted side."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import ApiChange, ApiUse, Limits
from pytest_coderobust.sandbox.cage.frames import to_json
from pytest_coderobust.sandbox.cage.plan import BWRAP, CagePlan
from pytest_coderobust.sandbox.judge.bwrap import make_command

CAGE = Path(__file__).parents[1] / "cage"
START_SECONDS = 60.0
END_SECONDS = 2.0
# The whole environment. Nothing of the caller's goes in; a fixed hash seed makes the order of
# sets the same in every run, and what the linker leaves for later every fork would do again.
ENVIRONMENT = {
    "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "LD_BIND_NOW": "1",
}  # fmt: skip
PACKAGE_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "BLIS_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "VECLIB_MAXIMUM_THREADS": "1",
}  # fmt: skip
"""Added where packages are loaded: forks of a server with threads would lack those."""
REPORT_BYTES = 1 << 16  # 512 pairs of full counters are 22 KiB


@dataclass(frozen=True, slots=True)
class End:
    """The end of a candidate's process.

    Attributes:
        reason: "exited", "stopped", "cpu", "wall", "stalled" or "lost".
        code: exit status, or minus the signal that killed it.
        asleep: it was waiting for something other than a processor whenever it was looked at.
        api_uses: one for each API change that it was under.
    """

    reason: str
    code: int = 0
    cpu_seconds: float = 0.0
    asleep: bool = False
    api_uses: tuple[ApiUse, ...] = ()


@lru_cache(maxsize=64)
def write_request(limits: Limits, changes: tuple[ApiChange, ...], build: bool) -> bytes:
    """Writes the request for a candidate."""
    message = {
        "limits": {
            "cpu_seconds": limits.cpu_seconds,
            "call_seconds": limits.call_seconds,
            "wall_seconds": limits.wall_seconds,
            "memory_bytes": limits.memory_mb << 20,
            "wire_bytes": limits.wire_bytes,
        },
        "changes": [change.parts for change in changes],
        "build": build,
    }
    return to_json(message).encode("ascii")


class ZygoteLostError(SandboxError):
    """The fork server is gone; only a new worker can judge."""


class PackageError(SandboxError):
    """A package does not work in the cage; the message names it."""


class Channel:
    """The trusted end of one candidate's socket, as a descriptor that closes once."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.fd = sock.fileno()

    def close(self) -> None:
        self._sock.close()


class Zygote:
    """A running zygote and the control socket to it; not thread-safe, one check at a time.

    Args:
        plan: the isolation to set up.
        alive_fd: a descriptor that is open as long as any process of this zygote lives; no
            candidate keeps it.

    Raises:
        SandboxError: the isolation does not work here.
        PackageError: a package of the plan does not work in it.
    """

    def __init__(self, plan: CagePlan, alive_fd: int) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Not -I: it would ignore the hash seed. -s -S -P and an environment of our own making
        # leave as little to import from.
        fds = (theirs.fileno(), alive_fd)
        command = [sys.executable, "-s", "-S", str(CAGE), *map(str, fds), plan.write()]
        if plan.tier == BWRAP:
            command = [*make_command(plan), *command]
        environment = {**ENVIRONMENT, **(PACKAGE_ENVIRONMENT if plan.roots else {})}
        self._process = subprocess.Popen(  # noqa: S603  our own interpreter and file
            command, pass_fds=fds, env=environment, cwd=plan.scratch,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()
        self._control = ours
        self._poller = select.poll()
        self._poller.register(ours, select.POLLIN)
        self.forks = 0
        self._control.settimeout(START_SECONDS)
        try:
            self._hear_greeting(plan.tier)
        except SandboxError:
            self.close()
            raise
        self._control.settimeout(None)

    def _hear_greeting(self, tier: str) -> None:
        """Waits until it is ready. Raises SandboxError, PackageError."""
        importing = ""
        while True:
            try:
                greeting = self._report()
            except SandboxError as error:
                if not importing:
                    raise
                raise PackageError(
                    f"{importing!r} ends or hangs the interpreter that imports it ({error})"
                ) from None
            if "ready" in greeting:
                return
            if "error" in greeting:
                raise SandboxError(f"no {tier!r} isolation here: {greeting['error']}")
            if "unusable" in greeting:
                raise PackageError(f"{importing!r} {greeting['unusable']}")
            importing = greeting["importing"]

    def begin(
        self, limits: Limits, changes: Sequence[ApiChange] = (), *, build: bool = False
    ) -> Channel:
        """Forks a candidate and returns the trusted end of its channel.

        Args:
            changes: API changes that the candidate is put under.
            build: let it start processes, as a compiler does.

        Raises:
            ZygoteLostError: the zygote is gone.
        """
        ours, theirs = socket.socketpair()
        data = write_request(limits, tuple(changes), build)
        try:
            socket.send_fds(self._control, [data], [theirs.fileno()])
        except OSError as error:
            ours.close()
            raise ZygoteLostError(f"the sandbox's fork server is gone: {error}") from error
        finally:
            theirs.close()
        self.forks += 1
        return Channel(ours)

    def ends_within(self, seconds: float) -> bool:
        """Whether the candidate ends within these seconds; `wait` then returns how."""
        return bool(self._poller.poll(seconds * 1000))

    def wait(self) -> End:
        """Waits until the candidate ends by itself or is ended, and returns how."""
        try:
            report = self._report()
        except SandboxError:
            return End("lost")
        uses = tuple(ApiUse(old, new) for old, new in report["uses"])
        return End(report["ended"], report["code"], report["cpu"], report["asleep"], uses)

    def finish(self) -> End:
        """Ends the candidate, if it still runs, and returns how it ended."""
        with suppress(OSError):
            self._control.send(b'{"stop":1}')
        return self.wait()

    def _report(self) -> Any:
        try:
            data = self._control.recv(REPORT_BYTES)
        except OSError as error:
            raise SandboxError(f"the sandbox's fork server does not answer: {error}") from error
        if not data:
            raise SandboxError("the sandbox's fork server ended unexpectedly")
        return json.loads(data)

    def close(self) -> None:
        """Ends the zygote and whatever it runs."""
        self._control.close()  # it ends by itself, candidate first
        try:
            self._process.wait(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
