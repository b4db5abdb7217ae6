"""Batches that shrink when memory runs out."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from pytest_coderobust.errors import MemoryExhausted, ModelError
from pytest_coderobust.records import Sampling

T = TypeVar("T")
R = TypeVar("R")


STEP = 64

_FAILED = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")
"""Words of a RuntimeError of torch where an allocation failed."""


def steps_within(room: int, wanted: int) -> int:
    """Chooses how many tokens to ask for where the window has `room` left.

    Where fewer than `wanted` fit, the number is a multiple of 64, or a power of two below 64.
    Prompts of similar length then share a batch, and a row's number depends on its own length
    alone.
    """
    if room >= wanted:
        return wanted
    return room - room % STEP if room >= STEP else 1 << (room.bit_length() - 1)


def steps_for(ids: Sequence[int], window: int | None, sampling: Sampling, label: str) -> int:
    """Chooses how many tokens may follow a prompt.

    Args:
        window: tokens that prompt and completion may have together; None is no limit.
        label: begins the message ("model 'prod'").

    Raises:
        ModelError: the prompt fills the window.
    """
    room = sampling.max_new_tokens if window is None else window - len(ids)
    if room < 1:
        raise ModelError(
            f"{label}: a prompt of {len(ids)} tokens does not fit into its window of {window}"
        )
    return steps_within(room, sampling.max_new_tokens)


class Batches:
    """Runs items in batches of at most `size`, and remembers the size that fits."""

    def __init__(self, size: int) -> None:
        self.size = size

    def run(self, items: Sequence[T], answer: Callable[[Sequence[T]], Sequence[R]]) -> list[R]:
        """Answers every item, in order.

        A batch that does not fit is halved and tried again; later batches keep the smaller size.

        Raises:
            MemoryExhausted: not even one item fits.
        """
        results: list[R] = []
        while len(results) < len(items):
            batch = items[len(results) : len(results) + self.size]
            answers, trouble = attempt(partial(answer, batch))
            if answers is not None:
                results += answers
                continue
            if len(batch) == 1:
                raise MemoryExhausted(f"memory does not suffice for a single prompt: {trouble}")
            self.size = len(batch) // 2
            free_memory()
        return results


def free_memory() -> None:
    """Returns cached memory to the device."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def attempt(work: Callable[[], R]) -> tuple[R | None, str]:
    """Does some work; returns None and the message where memory did not suffice.

    The exception must not leave this function: its traceback keeps the tensors alive that have to
    be freed.
    """
    try:
        return work(), ""
    except (RuntimeError, MemoryError) as error:
        if not _is_out_of_memory(error):
            raise
        return None, str(error).split("\n")[0] or "out of memory"


def _is_out_of_memory(error: Exception) -> bool:
    import torch

    # On the processor, and inside libraries of the device, torch raises a plain RuntimeError.
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(
        words in str(error) for words in _FAILED
    )
