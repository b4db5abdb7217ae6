"""Mean of a prompt's states at the input of a down-projection: what A-GRACE looks prompts up by."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.hooks import captured_states

Masks = Callable[[], torch.Tensor | None]
"""Finds the real tokens of each row's prompt, (rows, width); None while decoding."""

_TOKENS = 4096
"""Tokens of a batch, pads included."""


def average_states(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Averages states (rows, width, d) over each row's real tokens: (rows, d) in float32."""
    real = mask.to(states.device).float()[..., None]
    return (states.detach().float() * real).sum(dim=1) / real.sum(dim=1)


def read_mean_states(access: Access, layer: int, prompts: Sequence[Sequence[int]]) -> torch.Tensor:
    """Reads the mean input of a layer's down-projection over each prompt, (prompts, d) on the CPU.

    Prompts of like length share a batch; the forward pass ends at the layer.
    """
    order = sorted(range(len(prompts)), key=lambda place: len(prompts[place]))
    module = access.projection(layer).module
    found: list[torch.Tensor] = []
    for places in _cut_batches(order, prompts):
        batch = access.batch([prompts[place] for place in places])
        with torch.no_grad(), captured_states(module, "input") as states:
            access.run_until(layer, batch)
        found.append(average_states(states[0], batch.mask).cpu())
    rows = torch.cat(found)
    return rows[torch.tensor(order).argsort()]


def _cut_batches(
    order: Sequence[int], prompts: Sequence[Sequence[int]]
) -> Generator[Sequence[int]]:
    """Cuts places that are sorted by length into batches of like size."""
    start = 0
    for stop in range(1, len(order) + 1):
        longest = len(prompts[order[min(stop, len(order) - 1)]])
        if stop == len(order) or (stop + 1 - start) * longest > _TOKENS:
            yield order[start:stop]
            start = stop


@contextmanager
def prompt_masks(access: Access) -> Generator[Masks]:
    """Context that finds, inside a forward pass of the model, the real tokens of each prompt."""
    found: list[torch.Tensor | None] = [None]

    def look(_module: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> None:
        ids = options.get("input_ids", args[0] if args else None)
        found[0] = _find_mask(ids, options.get("attention_mask"))

    handle = access.model.register_forward_pre_hook(look, with_kwargs=True)
    try:
        yield lambda: found[0]
    finally:
        handle.remove()


def find_ends(mask: torch.Tensor) -> torch.Tensor:
    """Finds the place of each row's last real token: (rows,)."""
    places = torch.arange(mask.shape[1], device=mask.device)
    return (mask.long() * places).argmax(dim=-1)


def _find_mask(ids: torch.Tensor | None, mask: object) -> torch.Tensor | None:
    """Finds the mask of a pass that reads prompts; None where ids continue a cached prompt."""
    if ids is None:
        return None
    if not isinstance(mask, torch.Tensor) or mask.dim() != 2:
        return None if ids.shape[1] == 1 else torch.ones_like(ids)
    return mask if mask.shape[1] == ids.shape[1] else None
