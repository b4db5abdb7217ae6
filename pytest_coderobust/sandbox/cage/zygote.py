"""The zygote: a warm interpreter that forks once for each check and ends all that it left.

It is exec'd, never forked from the harness: a fork would inherit data sets, tokens and expected
values. Requests come over a control socket that no candidate ever holds; each brings the
candidate's own socket as a passed file descriptor.

    → {"limits": {...}, "changes": [[old, new, kind?, parameter...], ...], "build": bool} + fd
                                  fork a candidate; one that may fork too when it builds
    → {"stop": 1}                 end it early
    ← {"ended": reason, "code": exit status or signal, "cpu": s, "asleep": bool,
       "uses": [[old, new], ...]}                               once per fork

Before the first request it says {"ready": true}, or why not: {"error": ...} where the isolation
does not work, {"unusable": ...} where a package does not, after an {"importing": name} for each.
"""

from __future__ import annotations

import _socket  # the `socket` module around it weighs on every fork
import gc
import importlib
import os
import select
import signal
import sys
import time
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any, NoReturn

from pytest_coderobust.sandbox.cage.candidate import run
from pytest_coderobust.sandbox.cage.changes import Changes
from pytest_coderobust.sandbox.cage.clocks import is_asleep, read_cpu_time, read_run_delay
from pytest_coderobust.sandbox.cage.frames import from_json, to_json
from pytest_coderobust.sandbox.cage.isolation import Isolation, isolate_zygote
from pytest_coderobust.sandbox.cage.libraries import read_code
from pytest_coderobust.sandbox.cage.limits import CageLimits, Restriction
from pytest_coderobust.sandbox.cage.plan import CagePlan
from pytest_coderobust.sandbox.cage.practice import practise
from pytest_coderobust.sandbox.cage.preloading import PreloadError, preload_packages
from pytest_coderobust.sandbox.cage.vocabulary import seed
from pytest_coderobust.sandbox.cage.work_folder import wipe

# What most programs import. Each module here costs every fork the copying of its page tables, so
# the heavier and rarer ones (hashlib, decimal, dataclasses) are left to those who want them.
PRELOAD = (
    "bisect", "collections", "copy", "datetime", "enum", "functools", "heapq", "itertools",
    "math", "operator", "random", "re", "string", "types", "typing",
)  # fmt: skip
TICK = 0.25  # seconds between two looks at a candidate's clock, at most
WALL_FACTOR = 10  # a candidate that waits for a processor gets this many wall limits
CONTROL_BYTES = 1 << 17  # 512 changes of long names
FD_SPACE = _socket.CMSG_SPACE(4)
make_restriction = lru_cache(maxsize=8)(Restriction)
CandidateEnding = tuple[str, bool]  # why it ended, and whether it slept all along


def main(control_fd: int, alive_fd: int, plan: CagePlan) -> NoReturn:
    """Isolates itself as planned and serves checks until the control socket closes."""
    control = _socket.socket(fileno=control_fd)
    for inherited in (control_fd, alive_fd):
        os.set_inheritable(inherited, False)
    preload()
    sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    code = read_code(plan.libraries)
    try:
        isolation = isolate_zygote(plan)
        own_bytes = preload_packages(plan, code, partial(reply, control)) if plan.roots else 0
    except OSError as error:
        reply(control, {"error": str(error)})
        os._exit(1)
    except PreloadError as error:
        reply(control, {"unusable": str(error)})
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Python's handler would open pid 1 to signals
    practise()
    sys.modules["random"].seed(1)  # not that of the tests
    seed(1)
    gc.collect()
    gc.freeze()
    reply(control, {"ready": True})
    while True:
        request, fd = next_request(control)
        if fd is not None:
            serve(control, isolation, request, fd, own_bytes)


def ignore_hook(**_: Any) -> None:
    """Stands in for `os.register_at_fork` and registers nothing."""


def preload() -> None:
    """Imports what programs use, without `random`'s hook, which would reseed it in every fork."""
    register, os.register_at_fork = os.register_at_fork, ignore_hook
    try:
        for module in PRELOAD:
            importlib.import_module(module)
    finally:
        os.register_at_fork = register


def next_request(control: _socket.socket) -> tuple[Any, int | None]:
    """Waits for a request; ends the process when the control socket closes."""
    data, passed, _, _ = control.recvmsg(CONTROL_BYTES, FD_SPACE)
    if not data:
        os._exit(0)
    fd = int.from_bytes(passed[0][2][:4], sys.byteorder) if passed else None
    return from_json(data), fd


def serve(
    control: _socket.socket, isolation: Isolation, request: Any, fd: int, own_bytes: int
) -> None:
    """Forks a candidate, watches it to its end, removes all it left and reports.

    Args:
        own_bytes: addresses that packages take, on top of those that a solution may take.
    """
    limits = CageLimits.read(request["limits"])
    limits = limits._replace(memory_bytes=limits.memory_bytes + own_bytes)
    changes = Changes(request["changes"]) if request["changes"] else None
    restrict = make_restriction(limits)
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        run(isolation, limits, restrict, fd, changes, build=request.get("build") is True)
    os.close(fd)
    reason, asleep = watch(control, pid, limits, started)
    os.kill(pid, signal.SIGKILL)
    if isolation.forks:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    if isolation.forks:
        end_strays(alone=isolation.alone)
    wipe(isolation.work)
    code = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    uses = changes.uses() if changes is not None else []
    reply(control, {"ended": reason, "code": code, "cpu": cpu, "asleep": asleep, "uses": uses})


def watch(control: _socket.socket, pid: int, limits: CageLimits, started: float) -> CandidateEnding:
    """Waits until the candidate exits, overruns or is to be stopped; returns which.

    Time that a candidate spent waiting for a processor is not its own: "wall" means that it was
    idle for the whole limit, "stalled" that it could not run.
    """
    pidfd = os.pidfd_open(pid)
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    poller.register(control, select.POLLIN)
    asleep = True
    wait = min(TICK, limits.cpu_seconds)
    try:
        while True:
            events = dict(poller.poll(wait * 1000))
            if control.fileno() in events:
                heard = control.recv(CONTROL_BYTES)  # empty when the trusted side is gone
                return ("stopped" if heard else "orphaned"), asleep
            if pidfd in events:
                return "exited", asleep
            # Nothing came: the limits are looked at, each by a clock that the candidate cannot set.
            left = limits.cpu_seconds - read_cpu_time(pid)
            if left <= 0:
                return "cpu", False
            wall = time.monotonic() - started
            asleep = asleep and is_asleep(pid)
            if wall - read_run_delay(pid) >= limits.wall_seconds:
                return "wall", asleep
            if wall >= WALL_FACTOR * limits.wall_seconds:
                return "stalled", False
            # Half of what is left: the last look comes within milliseconds of the limit.
            wait = min(TICK, max(0.005, left / 2), limits.wall_seconds)
    finally:
        os.close(pidfd)


def end_strays(*, alone: bool) -> None:
    """Ends what escaped the process group; as a subreaper, this process inherits it.

    Args:
        alone: everything else in this process namespace is to end.
    """
    children = f"/proc/self/task/{os.getpid()}/children"
    with suppress(ChildProcessError):
        while True:
            with suppress(ProcessLookupError):
                if alone:
                    os.kill(-1, signal.SIGKILL)
            with suppress(OSError), open(children, "rb") as file:  # noqa: PTH123
                for pid in file.read().split():
                    os.kill(int(pid), signal.SIGKILL)
            os.waitpid(-1, 0)


def reply(control: _socket.socket, message: Any) -> None:
    """Sends one report to the trusted side; ends the process when nobody listens."""
    try:
        control.sendall(to_json(message).encode("ascii"))
    except OSError:
        os._exit(0)
