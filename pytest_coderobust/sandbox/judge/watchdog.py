"""Ends the checker's process when trusted code outlasts every limit of a check."""

from __future__ import annotations

import signal

from pytest_coderobust.records import Limits
from pytest_coderobust.sandbox.cage.zygote import WALL_FACTOR

GRACE_SECONDS = 2.0


def bound(limits: Limits) -> None:
    """Sets the kernel's timers that end this process when the tests themselves overrun.

    The timers' default action is death: no Python code has to run for it.
    """
    own = 2 * limits.cpu_seconds + GRACE_SECONDS
    signal.setitimer(signal.ITIMER_PROF, own)
    # Real time is for what sleeps; on a busy machine processor time must run out first.
    wall = (WALL_FACTOR + 1) * limits.wall_seconds + WALL_FACTOR * own
    signal.setitimer(signal.ITIMER_REAL, wall)


def release() -> None:
    """Ends the watch."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.setitimer(signal.ITIMER_PROF, 0)
