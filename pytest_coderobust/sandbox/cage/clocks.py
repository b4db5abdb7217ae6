"""Clocks of a process: processor time used, time waited for a processor, sleep."""

from __future__ import annotations

import time


def read_cpu_time(pid: int) -> float:
    """Reads the processor seconds of a process and its threads, from its own clock."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def read_run_delay(pid: int) -> float:
    """Reads for how long a process waited for a processor; 0 where unknown."""
    try:
        return int(read_file(f"/proc/{pid}/schedstat").split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def is_asleep(pid: int) -> bool:
    """Whether a process is waiting for something other than a processor; False where unknown."""
    try:
        return read_file(f"/proc/{pid}/stat").rpartition(b")")[2].split()[0] == b"S"
    except (OSError, IndexError):
        return False


def read_file(path: str) -> bytes:
    """Reads a small file."""
    with open(path, "rb") as file:  # noqa: PTH123  pathlib stays out of the cage
        return file.read()
