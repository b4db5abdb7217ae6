"""Key-value cache whose rows are slots: one is copied or dropped without moving the others.

Transformers' own cache makes a new tensor for every token, and again when a row leaves. Here keys
and values are written in place, into buffers that grow by steps; attention reads a view of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from transformers.cache_utils import Cache, DynamicLayer

_TOKENS = 64
"""Tokens that a buffer grows by."""


class CacheSlots(Cache):
    """Cache of a whole model; slots 0 to n - 1 are in use after a pass over n rows."""

    def __init__(self) -> None:
        super().__init__(layer_class_to_replicate=SlotLayer)

    def copy(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Copies slots (source, destination), all at once; a destination may lie past the last."""
        source, destination = zip(*pairs, strict=True)
        for layer in self._slots:
            layer.copy(source, destination)

    @property
    def length(self) -> int:
        """Number of tokens that every layer holds; 0 where a layer holds none."""
        return min((layer.get_seq_length() for layer in self._slots), default=0)

    @property
    def _slots(self) -> list[SlotLayer]:
        return cast("list[SlotLayer]", self.layers)


class SlotLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """Keys and values of one layer: (slots, heads, tokens, head size)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._buffers: tuple[torch.Tensor, ...] = ()
        self._length = 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_args: Any, **_kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        new = (key_states, value_states)
        if not self._buffers:
            self.dtype, self.device = key_states.dtype, key_states.device
            self._buffers = tuple(each[:, :, :0] for each in new)
            self.is_initialized = True
        rows, _, width, _ = key_states.shape
        start, self._length = self._length, self._length + width
        self._reserve(rows)
        for buffer, states in zip(self._buffers, new, strict=True):
            buffer[:rows, :, start : self._length] = states
        self.keys, self.values = (each[:rows, :, : self._length] for each in self._buffers)
        return self.keys, self.values

    def get_seq_length(self, *_args: Any) -> int:
        return self._length

    def copy(self, source: Sequence[int], destination: Sequence[int]) -> None:
        """Copies slots, all at once."""
        self._reserve(max(destination) + 1)
        for buffer in self._buffers:
            used = buffer[:, :, : self._length]
            to, origin = (torch.tensor(each, device=used.device) for each in (destination, source))
            used.index_copy_(0, to, used.index_select(0, origin))

    def _reserve(self, rows: int) -> None:
        """Makes room for this many slots of the present length."""
        slots, _, tokens, _ = self._buffers[0].shape
        if rows <= slots and self._length <= tokens:
            return
        slots = slots if rows <= slots else max(rows, slots * 3 // 2)
        tokens = tokens if self._length <= tokens else self._length + _TOKENS
        self._buffers = tuple(_grow_buffer(each, slots, tokens) for each in self._buffers)


def _grow_buffer(buffer: torch.Tensor, slots: int, tokens: int) -> torch.Tensor:
    old, heads, length, size = buffer.shape
    grown = buffer.new_zeros(slots, heads, tokens, size)
    grown[:old, :, :length] = buffer
    return grown
