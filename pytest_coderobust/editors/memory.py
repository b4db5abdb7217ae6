"""Time that a block takes, and the memory that it needs at its peak."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from pytest_coderobust.errors import MemoryExhausted
from pytest_coderobust.models.batches import attempt, free_memory

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


def run_in_memory(work: Callable[[], T], what: str) -> T:
    """Does some work of an editor.

    Args:
        what: begins the message ("ft: an edit of model 'prod'").

    Raises:
        MemoryExhausted: memory did not suffice; what the work had taken is free again.
    """
    done, trouble = attempt(work)
    if trouble:
        free_memory()
        raise MemoryExhausted(f"{what}: memory does not suffice: {trouble}")
    return cast("T", done)


@dataclass(slots=True)
class ResourceUse:
    """Seconds and peak memory of a block; the peak counts what was added to the memory in use."""

    seconds: float = 0.0
    peak_bytes: int | None = None


@contextmanager
def resource_use(device: torch.device) -> Generator[ResourceUse]:
    """Context that measures its block, by the device's allocator or else by the process.

    The result is filled when the context ends.
    """
    spent = ResourceUse()
    peak = _device_peak(device) if device.type == "cuda" else _process_peak()
    before = next(peak)
    started = time.perf_counter()
    try:
        yield spent
    finally:
        after = next(peak)
        spent.seconds = time.perf_counter() - started
        if before is not None and after is not None:
            spent.peak_bytes = max(0, after - before)


def _device_peak(device: torch.device) -> Generator[int | None]:
    import torch

    torch.cuda.reset_peak_memory_stats(device)
    yield torch.cuda.memory_allocated(device)
    torch.cuda.synchronize(device)
    yield torch.cuda.max_memory_allocated(device)


def _process_peak() -> Generator[int | None]:
    """Yields memory before and at the peak; Linux lets a process reset its peak, others do not."""
    try:
        _RESET.write_text("5")
    except OSError:
        yield None
        yield None
        return
    yield _kilobytes("VmRSS")
    yield _kilobytes("VmHWM")


def _kilobytes(key: str) -> int | None:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    return None
