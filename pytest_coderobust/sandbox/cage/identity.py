"""Identity of the candidate to the kernel: an ordinary user without any privilege."""

from __future__ import annotations

import ctypes
import os

from pytest_coderobust.sandbox.cage.kernel import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    call,
    prctl,
)

CAPABILITY_VERSION = 0x20080522
CAPABILITY_WORDS = 6  # effective, permitted, inheritable; two words each
NOBODY_KNOWS = 0x70000000  # above every range that distributions and containers hand out


def choose_uid(slot: int) -> int:
    """Chooses a user id for a slot: one that no account has and this user namespace maps."""
    with open("/proc/self/uid_map", encoding="ascii") as lines:  # noqa: PTH123
        ranges = [tuple(map(int, line.split())) for line in lines]
    for inside, _, count in ranges:
        if inside <= NOBODY_KNOWS + slot < inside + count:
            return NOBODY_KNOWS + slot
    inside, _, count = max(ranges, key=lambda each: each[2])
    return inside + count - 2 - slot % max(1, count // 4)


def become(uid: int) -> None:
    """Takes a user and group id for good. Raises OSError."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def renounce() -> None:
    """Gives up every capability, and every way to get one back."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    empty = (ctypes.c_uint32 * CAPABILITY_WORDS)()
    call("capset", header, empty)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    # Nobody of the same user can trace this process or read its environment or memory.
    prctl(PR_SET_DUMPABLE, 0)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
