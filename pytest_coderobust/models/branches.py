"""Branches: samples of a prompt that have written the same so far share one row of the network.

Rows of one prompt that have chosen the same tokens so far have the same states, so one row of the
network, a branch, computes for all of them. A branch splits where the noise of its rows chooses
different tokens. At a low temperature most samples of a prompt are a few branches. A branch that
has ended leaves the batch.

A row's tokens are those that it would choose alone, up to the rounding that other rows of its batch
cause.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache as once
from typing import Any

import torch

from pytest_coderobust.models.sampling import Chooser
from pytest_coderobust.models.slots import CacheSlots

RowEnds = Callable[[int, Sequence[int]], bool]
"""Test of whether a row ends, from its number and its new token ids."""

StepListener = Callable[[int, Mapping[int, Sequence[int]]], None]
"""Hears of a step: the tokens it wrote over all rows, and the ids of each row that ended."""


@dataclass(frozen=True, slots=True)
class Start:
    """Prompts that a model has read.

    Attributes:
        cache: a slot for each prompt.
        scores: of the next token, (prompts, vocabulary).
        mask: 1 at real tokens, (prompts, width).
    """

    cache: CacheSlots
    scores: torch.Tensor
    mask: torch.Tensor


@dataclass(frozen=True, slots=True)
class _Branch:
    """Rows that have written the same after the same prompt."""

    place: int
    ids: tuple[int, ...]
    rows: tuple[int, ...]


@torch.no_grad()
def read_prompts(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> Start | None:
    """Reads prompts that are padded on the left, (prompts, width) each.

    Returns None for a network that keeps more, or less, than keys and values of every token.
    """
    if not _remembers_by_attention(model):
        return None
    cache = CacheSlots()
    positions = (mask.cumsum(dim=-1) - 1).clamp(min=0)
    scores = _step(model, cache, ids, mask, positions)
    return Start(cache, scores, mask) if cache.length == ids.shape[1] else None


@torch.no_grad()
def write_rows(
    model: Any,
    start: Start,
    places: Sequence[int],
    chooser: Chooser,
    steps: int,
    ends: RowEnds,
    listen: StepListener,
) -> None:
    """Continues prompts by up to `steps` tokens a row; uses the start up.

    Args:
        places: which prompt each row continues.
        ends: asked about every branch at every step, by one of its rows.
        listen: called after every step; hears each row once, when it has ended.
    """
    lengths = start.mask.sum(dim=-1)
    scores = start.scores
    branches = [
        _Branch(place, (), tuple(row for row, each in enumerate(places) if each == place))
        for place in range(len(start.scores))
    ]
    for step in range(steps):
        grown = _grow(branches, chooser, scores, step)
        last = step + 1 == steps
        alive: list[tuple[int, _Branch]] = []
        ended: dict[int, tuple[int, ...]] = {}
        for slot, branch in grown:
            if last or ends(branch.rows[0], branch.ids):
                ended.update(dict.fromkeys(branch.rows, branch.ids))
            else:
                alive.append((slot, branch))
        listen(sum(len(branch.rows) for _, branch in grown), ended)
        if not alive:
            break
        branches = _place_branches(start.cache, alive)
        prompts = torch.tensor([branch.place for branch in branches], device=start.mask.device)
        mask = start.mask[prompts]
        mask = torch.cat([mask, mask.new_ones(len(branches), step + 1)], dim=-1)
        ids = torch.tensor([branch.ids[-1:] for branch in branches], device=mask.device)
        scores = _step(model, start.cache, ids, mask, (lengths[prompts] + step)[:, None])


def _grow(
    branches: Sequence[_Branch], chooser: Chooser, scores: torch.Tensor, step: int
) -> list[tuple[int, _Branch]]:
    """Adds the next token to every branch and splits it where its rows choose differently.

    Returns each new branch with the slot that it comes from.
    """
    owners = [(slot, row) for slot, branch in enumerate(branches) for row in branch.rows]
    tokens = chooser(scores, owners, step)
    split: dict[tuple[int, int], list[int]] = {}
    for (slot, row), token in zip(owners, tokens, strict=True):
        split.setdefault((slot, token), []).append(row)
    return [
        (slot, _Branch(branches[slot].place, (*branches[slot].ids, token), tuple(rows)))
        for (slot, token), rows in split.items()
    ]


def _place_branches(cache: CacheSlots, alive: Sequence[tuple[int, _Branch]]) -> list[_Branch]:
    """Moves the branches that go on into the first slots, and returns them in that order.

    A slot holds the keys and values of a whole text, so copying is what costs: a branch whose slot
    is among the first stays there, and only the others are copied into slots that are free.
    """
    count = len(alive)
    placed: dict[int, _Branch] = {}
    homeless: list[tuple[int, _Branch]] = []
    for slot, branch in alive:
        # Branches that split share one slot: the first one keeps it, the others need a copy.
        if slot < count and slot not in placed:
            placed[slot] = branch
        else:
            homeless.append((slot, branch))
    free = [slot for slot in range(count) if slot not in placed]
    if homeless:
        # All copies are read before any is written, so a source may be a destination as well.
        cache.copy([(slot, to) for (slot, _), to in zip(homeless, free, strict=True)])
        placed.update({to: branch for (_, branch), to in zip(homeless, free, strict=True)})
    return [placed[slot] for slot in range(count)]


def _step(
    model: Any, cache: CacheSlots, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor
) -> torch.Tensor:
    """Runs the network once; returns the scores of the next token, (rows, vocabulary), float32."""
    known = _parameters(model.__class__)
    options = {"position_ids": positions, "logits_to_keep": 1}
    output = model(
        input_ids=ids,
        attention_mask=mask,
        past_key_values=cache,
        use_cache=True,
        **{name: value for name, value in options.items() if name in known},
    )
    scores: torch.Tensor = output.logits[:, -1].float()
    return scores


@once
def _parameters(network: Any) -> frozenset[str]:
    """Names of the arguments that a network's forward pass takes."""
    return frozenset(inspect.signature(network.forward).parameters)


def _remembers_by_attention(model: Any) -> bool:
    """Whether this is one of transformers' own networks and remembers by attention alone."""
    kinds = set(getattr(model.config, "layer_types", None) or ()) - {"full_attention"}
    return (
        type(model).__module__.startswith("transformers.models.")
        and not getattr(model, "_is_stateful", False)
        and kinds <= {"sliding_attention"}
        and "past_key_values" in _parameters(model.__class__)
        and bool(type(model)._supports_default_dynamic_cache())  # noqa: SLF001
    )
