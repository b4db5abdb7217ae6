"""Training of a codebook's value: the output at a prompt's end that makes the model answer so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.codebook import Codebook, codebook_lookup
from pytest_coderobust.editors.projection import Projection
from pytest_coderobust.editors.targets import loss_at, target_batch
from pytest_coderobust.errors import EditRefused

_ENOUGH = 1e-2
"""The loss below which a value is not improved further."""

_WIDE = torch.tensor([torch.inf])
"""Radius of a key on trial, which holds every query."""


class ValueOptions(Protocol):
    """Options of the training of a value; see `GraceOptions`."""

    @property
    def lr(self) -> float: ...
    @property
    def steps(self) -> int: ...
    @property
    def init(self) -> Literal["cold", "warm"]: ...
    @property
    def replace(self) -> Literal["last", "prompt", "all"]: ...
    @property
    def gain(self) -> float: ...
    @property
    def seed(self) -> int: ...


def start_value(output: torch.Tensor, options: ValueOptions) -> torch.Tensor:
    """Makes the first value: noise in [0, 1) ("cold") or the present output ("warm")."""
    if options.init == "warm":
        return output
    return torch.rand(output.shape, generator=torch.Generator().manual_seed(options.seed))


def find_value(
    access: Access,
    projection: Projection,
    prompt: Sequence[int],
    target: tuple[int, ...],
    start: torch.Tensor,
    options: ValueOptions,
) -> tuple[torch.Tensor, list[float]]:
    """Trains a value by Adam; returns the best one and every loss on the way."""
    batch, places = target_batch(access, [prompt], target)
    value = start.clone().to(access.device).requires_grad_()
    optimizer = torch.optim.Adam([value], lr=options.lr)
    losses: list[float] = []
    best = value.detach().clone()
    trial = Codebook(torch.zeros(1, projection.width), value[None], _WIDE, (target,))
    for _ in range(options.steps):
        with codebook_lookup(projection, trial, options.replace, lambda: places[:, 0], alone=True):
            loss = loss_at(access.logits(batch), places, target)
        if not losses or loss.item() < min(losses):
            best = value.detach().clone()
        losses.append(loss.item())
        if losses[-1] < _ENOUGH:
            break
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    return best.cpu(), losses


def refuse_small_gain(label: str, method: str, losses: Sequence[float], least: float) -> None:
    """Refuses an edit that did not lower its loss by the least share.

    Raises:
        EditRefused: it did not.
    """
    gain = 1 - min(losses) / losses[0]
    if losses[0] > _ENOUGH and gain < least:
        raise EditRefused(
            f"{label}: {method} lowered its loss by {gain:.1%} only; another layer or "
            "replace=all may steer the whole continuation"
        )
