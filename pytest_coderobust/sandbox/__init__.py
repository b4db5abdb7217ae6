"""Runs foreign code in cages and judges it; no other room does.

A candidate is the process of one solution. A checker is the trusted process that judges it, a
worker of the pool. Every limit, its value, and the one place that enforces it:

    processor time of a check   Limits.cpu_seconds      cage/zygote.watch             (1)
    processor time of a call    Limits.call_seconds     cage/candidate.answer_all     (2)
    wall time of a check        Limits.wall_seconds     cage/zygote.watch             (3)
    memory                      Limits.memory_mb        cage/limits.Restriction       (4)
    processes                   none                    cage/seccomp                  (5)
    threads                     32                      cage/isolation.THREADS
    open files, size of a file  64, 16 MiB              cage/limits.restrict_zygote
    files in all                64 MiB, 4096 files      cage/namespaces.WORK_OPTIONS  (6)
    output of a program         Limits.output_bytes     judge/programs.run_program    (7)
    size of an answer           Limits.wire_bytes       cage/frames                   (8)
    items, depth of an answer   8,000,000, 200          cage/encoder                  (9)
    time to compile             60 s                    languages/runners.BUILD       (10)
    time to predict calls       2 s, real               judge/prediction.always_makes
    calls sent at once          200, 64 KiB             judge/prediction.predict      (11)
    tests on returned values    twice cpu_seconds, 2 s  judge/watchdog.bound          (12)
    memory of a checker         4 GiB                   judge/process.MEMORY_BYTES
    start of a zygote           60 s                    judge/zygote.START_SECONDS
    attempts at a check         2                       pool/pool.ATTEMPTS            (13)

1. Kills the candidate. The kernel's RLIMIT_CPU, a second later, is for a zygote that is gone.
2. A timer in the candidate's process. A candidate that disarms it has the time of the check.
3. Kills the candidate. Waiting for a processor does not count, up to ten times the limit.
4. Address space, on top of what packages take. A Java machine gets half as its heap
   (languages/java.make_run_request).
5. Fork is refused. A compiler may fork, and is ended with all that it started.
6. In "bwrap" judge/bwrap.WORK_BYTES; the weaker tiers bound each file alone.
7. Ends the program. Compiled programs have languages/report.OUTPUT_BYTES, 4 MiB, for their reports.
8. Both sides refuse a larger message; a larger answer is a `protocol` failure.
9. An iterator may have 100,000 items; a larger answer is a `protocol` failure. An array may have 32
   dimensions, and a table 10,000 columns (cage/arrays.MAX_RANK, cage/tables.MAX_COLUMNS).
10. C++ under cage/zygote.watch; Java by a deadline of languages/warm.COMPILE_SECONDS.
11. More calls are asked one by one.
12. A timer of the kernel ends the checker; the solution's verdict is a timeout.
13. The second follows a crash of the checker, or a timeout that a busy machine may have caused.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_coderobust.errors import SandboxError, UnknownName, UsageError
from pytest_coderobust.sandbox.cage.plan import LADDER, RLIMITS

if TYPE_CHECKING:
    from pytest_coderobust.sandbox.pool.pool import Pool

SAFE_TIERS = tuple(tier for tier in LADDER if tier != RLIMITS)

__all__ = ["JUDGE_VERSION", "TESTING_VERSION", "USES_VERSION", "demand_tier", "open_sandbox"]

JUDGE_VERSION = f"7-py{sys.version_info.major}.{sys.version_info.minor}"
"""Changes whenever the same check might get another verdict; part of a verdict's key."""
USES_VERSION = "uses-3"
"""Changes whenever the same solution might get other counts of its uses of changed APIs."""
TESTING_VERSION = "testing-1"
"""Changes whenever tests with calls of `numpy.testing` and its like are split in another way."""

NOT_LINUX = (
    "the sandbox isolates by means of Linux, and this system is {!r}: nothing that a model wrote "
    "is run here; run this in a Linux container or virtual machine (on Windows in WSL 2)"
)
"""The sentence for systems on which nothing can be isolated."""


def open_sandbox(
    workers: int | None = None, *, tiers: Sequence[str] | None = None, allow_unsafe: bool = False
) -> Pool:
    """Starts a sandbox.

    Args:
        workers: checks judged at a time; the default is one for each processor.
        tiers: the isolation to try, in this order; the default is every tier but the last,
            strongest first. The one that works is the sandbox's `tier`.
        allow_unsafe: also accept limits alone, under which a hostile solution can read and
            write what the user can.

    Raises:
        SandboxError: no allowed tier works here; the message says why for each. Or this is not
            Linux, whose own means all of them use.
        UnknownName: a tier that does not exist.
        UsageError: fewer than one worker.
    """
    if sys.platform != "linux":
        raise SandboxError(NOT_LINUX.format(sys.platform))
    if workers is not None and workers < 1:
        raise UsageError(f"sandbox workers {workers} must be at least 1")
    wanted = tuple(tiers) if tiers is not None else SAFE_TIERS
    for name in wanted:
        if name not in LADDER:
            raise UnknownName("sandbox tier", name, LADDER)
    if allow_unsafe and RLIMITS not in wanted:
        wanted = (*wanted, RLIMITS)
    if RLIMITS in wanted and not allow_unsafe:
        raise SandboxError(f"the sandbox tier {RLIMITS!r} must be allowed with allow_unsafe")
    from pytest_coderobust.sandbox.pool.pool import Pool  # it cannot be imported elsewhere

    return Pool(workers or os.cpu_count() or 1, wanted)


def demand_tier(tier: str, minimum: str, where: str) -> None:
    """Refuses isolation that is weaker than a minimum.

    Args:
        minimum: one of the tiers, or "" for any.
        where: file, section and key of the minimum, to begin the error with.

    Raises:
        SandboxError: it is weaker.
    """
    if minimum and LADDER.index(tier) > LADDER.index(minimum):
        raise SandboxError(
            f"{where} = {minimum!r}: the isolation that works here is {tier!r}, which is weaker; "
            f"the tiers are, strongest first, {', '.join(LADDER)}"
        )
