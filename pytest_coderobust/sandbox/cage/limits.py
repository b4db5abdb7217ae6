"""Resource limits, inherited or set by a candidate's process before it reads foreign code."""

from __future__ import annotations

import math
import os
import resource
from typing import Any, NamedTuple

OPEN_FILES = 64
FILE_BYTES = 16 << 20
STACK_BYTES = 64 << 20


class CageLimits(NamedTuple):
    """What one candidate may use; the trusted side's `Limits`, as far as the cage needs it."""

    cpu_seconds: float
    wall_seconds: float
    memory_bytes: int
    wire_bytes: int

    @staticmethod
    def read(message: Any) -> CageLimits:
        return CageLimits(
            float(message["cpu_seconds"]),
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


def restrict(limits: CageLimits) -> None:
    """Lowers what a check names. Soft and hard limits fall together, never to rise again."""
    # The zygote enforces processor time to the millisecond; this is what stops a candidate
    # when the zygote itself is gone.
    seconds, memory = math.ceil(limits.cpu_seconds) + 1, limits.memory_bytes
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    except ValueError:  # this process is under a tighter limit already
        lower(resource.RLIMIT_CPU, seconds)
        lower(resource.RLIMIT_AS, memory)


def lower(kind: int, value: int) -> None:
    """Sets a limit, never above the one already in force."""
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    try:
        resource.setrlimit(kind, (value, value))
    except ValueError:
        if os.uname().sysname == "Linux":  # macOS refuses an address-space limit
            raise
