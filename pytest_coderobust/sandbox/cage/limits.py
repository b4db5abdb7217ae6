"""Resource limits, inherited or set by a candidate's process before it reads foreign code."""

from __future__ import annotations

import ctypes
import math
import os
import resource
from typing import Any, NamedTuple

from pytest_coderobust.sandbox.cage.kernel import MACHINE, MACHINES, Prepared

OPEN_FILES = 64
FILE_BYTES = 16 << 20
STACK_BYTES = 64 << 20


class CageLimits(NamedTuple):
    """Limits of one candidate: the part of the trusted side's `Limits` that the cage needs."""

    cpu_seconds: float
    call_seconds: float
    wall_seconds: float
    memory_bytes: int
    wire_bytes: int

    @staticmethod
    def read(message: Any) -> CageLimits:
        return CageLimits(
            float(message["cpu_seconds"]),
            float(message["call_seconds"]),
            float(message["wall_seconds"]),
            int(message["memory_bytes"]),
            int(message["wire_bytes"]),
        )


def restrict_zygote() -> None:
    """Lowers what is the same for every candidate; forks inherit it."""
    lower(resource.RLIMIT_FSIZE, FILE_BYTES)
    lower(resource.RLIMIT_NOFILE, OPEN_FILES)
    lower(resource.RLIMIT_STACK, STACK_BYTES)
    lower(resource.RLIMIT_CORE, 0)


class Restriction:
    """Lowers the limits that a check names, when called. Soft and hard limits fall for good.

    Made in the zygote: a candidate that converts arguments itself touches forty pages more.
    """

    def __init__(self, limits: CageLimits) -> None:
        # The zygote enforces processor time to the millisecond; this is what stops a candidate
        # when the zygote itself is gone.
        seconds, memory = math.ceil(limits.cpu_seconds) + 1, limits.memory_bytes
        wanted = ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, memory))
        self._values = tuple((kind, clip_to_hard(kind, value)) for kind, value in wanted)
        self._pairs = [(ctypes.c_uint64 * 2)(value, value) for _, value in self._values]
        self._calls: list[Prepared] = []
        if MACHINE in MACHINES:
            for (kind, _), pair in zip(self._values, self._pairs, strict=True):
                self._calls.append(Prepared("prlimit64", 0, kind, ctypes.addressof(pair), 0))

    def __call__(self) -> None:
        for call in self._calls:
            call()
        if not self._calls:
            for kind, value in self._values:
                lower(kind, value)


def lower(kind: int, value: int) -> None:
    """Sets a limit, never above the one already in force."""
    value = clip_to_hard(kind, value)
    try:
        resource.setrlimit(kind, (value, value))
    except ValueError:
        if os.uname().sysname == "Linux":  # macOS refuses an address-space limit
            raise


def clip_to_hard(kind: int, value: int) -> int:
    """Returns the value, or the limit already in force where that is lower."""
    hard = resource.getrlimit(kind)[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)
