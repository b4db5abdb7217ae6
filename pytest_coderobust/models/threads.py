"""Processor threads that torch uses while a model generates.

Torch takes a thread for each core. The operations of a small model last microseconds, and the
threads spend their time waiting for one another: with other work on the same cores, two threads are
ten to fifty times slower than one.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

SMALL_MODEL = 100_000_000
"""Parameters below which one thread is best."""


@contextmanager
def torch_threads(count: int | None) -> Generator[None]:
    """Context in which torch runs with `count` threads; None changes nothing."""
    import torch

    if count is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def sensible_threads(asked: int | None, parameters: int, device: str) -> int | None:
    """Chooses the number of threads: the user's, 1 for a small model, else None (torch's own)."""
    if asked is not None:
        return asked
    return 1 if device == "cpu" and parameters < SMALL_MODEL else None
