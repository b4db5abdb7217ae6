"""How many processor threads torch may use while a model generates.

Torch takes a thread for each core. On a small model, whose every operation lasts microseconds,
the threads only wait for one another: with other work on the same cores, two threads are ten to
fifty times slower than one.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

SMALL_MODEL = 100_000_000
"""Parameters below which one thread is best."""


@contextmanager
def torch_threads(count: int | None) -> Generator[None]:
    """Runs torch with `count` threads and gives it back its own number; None changes nothing."""
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
    """The number of threads for a model: what the user asked for, 1 for a small one, else None."""
    if asked is not None:
        return asked
    return 1 if device == "cpu" and parameters < SMALL_MODEL else None
