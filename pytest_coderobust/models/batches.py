"""Batches that shrink when memory runs out."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import TypeVar

from pytest_coderobust.errors import ModelError
from pytest_coderobust.records import Sampling

T = TypeVar("T")
R = TypeVar("R")


STEP = 64


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
            ModelError: not even one item fits.
        """
        results: list[R] = []
        while len(results) < len(items):
            batch = items[len(results) : len(results) + self.size]
            answers, trouble = _attempt(batch, answer)
            if answers is not None:
                results += answers
                continue
            if len(batch) == 1:
                raise ModelError(f"memory does not suffice for a single prompt: {trouble}")
            self.size = len(batch) // 2
            free_memory()
        return results


def free_memory() -> None:
    """Returns cached memory to the device."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _attempt(
    batch: Sequence[T], answer: Callable[[Sequence[T]], Sequence[R]]
) -> tuple[Sequence[R] | None, str]:
    """Answers a batch; returns None and the message where memory did not suffice.

    The exception must not leave this function: its traceback keeps the tensors alive that have to
    be freed.
    """
    try:
        return answer(batch), ""
    except (RuntimeError, MemoryError) as error:
        if not _is_out_of_memory(error):
            raise
        return None, str(error).split("\n")[0]


def _is_out_of_memory(error: Exception) -> bool:
    import torch

    # On the processor torch raises a plain RuntimeError.
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        "can't allocate memory" in str(error)
    )
