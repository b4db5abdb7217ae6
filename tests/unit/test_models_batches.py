"""Number of tokens that a row may have, and batches that shrink."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.batches import Batches, steps_within

SIZES = st.integers(1, 2000)


@given(room=SIZES, wanted=SIZES)
def test_steps_use_at_least_half_the_room_and_never_more(room: int, wanted: int) -> None:
    steps = steps_within(room, wanted)
    assert min(room, wanted) / 2 < steps <= min(room, wanted)
    assert steps == wanted or steps % 64 == 0 or steps & (steps - 1) == 0


@given(items=st.lists(st.integers(), max_size=40), size=st.integers(1, 50), fits=st.integers(1, 50))
def test_every_item_is_answered_once_in_order(items: list[int], size: int, fits: int) -> None:
    tried: list[int] = []

    def answer(batch: Sequence[int]) -> list[int]:
        tried.append(len(batch))
        if len(batch) > fits:
            raise MemoryError
        return [item + 1 for item in batch]

    batches = Batches(size)
    assert batches.run(items, answer) == [item + 1 for item in items]
    assert max(tried, default=0) <= size
    assert batches.size >= min(size, fits // 2)


def test_another_error_is_not_swallowed() -> None:
    def answer(batch: Sequence[int]) -> list[int]:
        raise RuntimeError("no memory trouble")

    with pytest.raises(RuntimeError, match="no memory trouble"):
        Batches(4).run([1, 2], answer)


def test_the_processors_own_message_is_known() -> None:
    def answer(batch: Sequence[int]) -> list[int]:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried")

    with pytest.raises(ModelError, match=r"for a single prompt: .*DefaultCPUAllocator"):
        Batches(4).run([1, 2], answer)
