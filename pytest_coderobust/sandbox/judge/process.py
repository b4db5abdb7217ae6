"""The checker: a trusted process beside pytest's, so that tests that hang or crash harm nobody.

One check at a time arrives as a frame; its verdict goes back as one. The process ends when the
pool's end of the socket closes, and kills itself when a check outlasts every limit.
"""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
from dataclasses import asdict, fields
from functools import partial
from operator import attrgetter
from typing import Any

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import (
    ApiChange,
    ApiUse,
    ChangeKind,
    Level,
    Limits,
    Packages,
    Tests,
    Verdict,
)
from pytest_coderobust.sandbox.cage.frames import receive, send
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.check_runner import CheckRunner, count
from pytest_coderobust.sandbox.judge.packaged import PackagedZygotes
from pytest_coderobust.sandbox.judge.prediction import TestsAndName
from pytest_coderobust.sandbox.judge.tier import open_packaged_zygote, open_zygote
from pytest_coderobust.sandbox.judge.watchdog import bound, release
from pytest_coderobust.sandbox.judge.zygote import ZygoteLostError
from pytest_coderobust.sandbox.languages.cages import Cages

FRAME_BYTES = 1 << 30  # between trusted sides: a cap against bugs, not against enemies
MEMORY_BYTES = 4 << 30
# Frames are written for every check, and `asdict` copies what it finds.
LIMITS = tuple(field.name for field in fields(Limits))
VERDICT = tuple(field.name for field in fields(Verdict))
of_limits, of_verdict = attrgetter(*LIMITS), attrgetter(*VERDICT)


def main(fd: int, alive_fd: int, scratch: str, shared: str, tiers: list[str]) -> None:
    """Serves checks until the pool hangs up."""
    os.set_inheritable(fd, False)
    os.set_inheritable(alive_fd, False)
    silence()
    listen_for_the_end(fd)
    # What a candidate sends can grow fifty times when it is decoded.
    lower_soft(resource.RLIMIT_AS, MEMORY_BYTES)
    try:
        zygote, tier = open_zygote(tiers, scratch, alive_fd)
    except SandboxError as error:
        send(fd, {"error": str(error)}, FRAME_BYTES)
        return
    cages = Cages(tier, scratch, shared, alive_fd)
    packaged = PackagedZygotes(zygote, partial(open_packaged_zygote, tier, scratch, alive_fd))
    try:
        judge = CheckRunner(zygote, tier, cages, packaged=packaged)
        send(fd, {"tier": tier}, FRAME_BYTES)
        while True:
            message = receive(fd, FRAME_BYTES)
            if "calls" in message:
                judge.learn(read_tests(message["of"]), message["calls"])
                continue
            signal.signal(signal.SIGIO, signal.SIG_DFL)
            if has_hung_up(fd):
                break
            reply = answer(message, judge)
            signal.signal(signal.SIGIO, signal.SIG_IGN)
            send(fd, reply, FRAME_BYTES)
    except (EOFError, OSError, ZygoteLostError):
        pass  # the pool is gone, or starts another worker
    finally:
        cages.close()
        packaged.close()
        zygote.close()


def answer(message: Any, judge: CheckRunner) -> Any:
    """Replies to one check, or to several that shall be compiled."""
    if "count" in message:
        return {"total": count(read_check(message["count"]))}
    if "together" in message:
        try:
            judge.build_together([read_check(each) for each in message["together"]])
        finally:
            release()
        return {}
    check = read_check(message)
    try:
        judge.prepare(check)
        bound(check.limits)
        verdict = write_verdict(judge.judge(check))
        reply = {"verdict": verdict, "starved": judge.starved, "forks": judge.forks}
        return reply if judge.learned is None else {**reply, "learned": judge.learned}
    except ZygoteLostError:
        raise
    except SandboxError as error:
        return {"error": str(error)}
    finally:
        release()


def listen_for_the_end(fd: int) -> None:
    """Lets the kernel signal every change at the pool's end of the socket.

    During a check the only change is the end of the pool. The signal's default action then ends
    this process in the middle of whatever it does.
    """
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_ASYNC)


def has_hung_up(fd: int) -> bool:
    """Whether the pool has hung up."""
    poller = select.poll()
    poller.register(fd, 0)
    return bool(poller.poll(0))


def lower_soft(kind: int, value: int) -> None:
    """Lowers a limit of this process alone; its children may go up to the old one."""
    soft, hard = resource.getrlimit(kind)
    if soft == resource.RLIM_INFINITY or soft > value:
        resource.setrlimit(kind, (value, hard))


def silence() -> None:
    """Sends what tests print nowhere; the terminal belongs to pytest."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for target in (0, 1, 2):
        os.dup2(nowhere, target)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the pool decides when to stop


def write_check(check: Check) -> Any:
    """Makes a check a frame's message."""
    return {
        "solution": check.solution,
        "entry_point": check.entry_point,
        "tests": [check.tests.source, check.tests.style, check.tests.helpers],
        "limits": of_limits(check.limits),
        "language": check.language,
        "in_process": check.in_process,
        "api_changes": [change.parts for change in check.api_changes],
        "packages": [check.packages.names, check.packages.versions],
    }


def write_tests(key: TestsAndName) -> Any:
    """Makes tests and their entry point a part of a frame's message."""
    tests, entry_point = key
    return [tests.source, tests.style, tests.helpers, entry_point]


def read_tests(message: Any) -> TestsAndName:
    """Reads tests and their entry point from a frame's message."""
    *tests, entry_point = message
    return Tests(*tests), entry_point


def read_check(message: Any) -> Check:
    """Reads a check from a frame's message."""
    found = dict(message)
    found["tests"] = Tests(*found["tests"])
    found["limits"] = Limits(*found["limits"])
    found["api_changes"] = tuple(read_change(*change) for change in found["api_changes"])
    names, versions = found["packages"]
    found["packages"] = Packages(tuple(names), tuple((name, each) for name, each in versions))
    return Check(**found)


def read_change(old: str, new: str, kind: ChangeKind = "", *parameters: str) -> ApiChange:
    """Makes an API change of its parts."""
    return ApiChange(old, new, kind, parameters)


def write_verdict(verdict: Verdict) -> Any:
    """Makes a verdict a frame's message."""
    values = dict(zip(VERDICT, of_verdict(verdict), strict=True))
    values["level"] = verdict.level.value
    values["api_uses"] = [asdict(use) for use in verdict.api_uses]
    return values


def read_verdict(message: Any) -> Verdict:
    """Reads a verdict from a frame's message."""
    found = dict(message)
    found["level"] = Level(found["level"])
    found["api_uses"] = tuple(ApiUse(**use) for use in found["api_uses"])
    return Verdict(**found)
