"""Traces of a target's tokens: inputs of some projections, and gradients by their outputs.

Both are taken at the positions that predict the target. (The released code of CLMEEval takes them
at the start of the prompt, so its MALMEN edits next to nothing.)
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.hooks import forward_hook
from pytest_coderobust.editors.projection import Projection
from pytest_coderobust.editors.targets import loss_at, target_batch


@dataclass(frozen=True, slots=True, eq=False)
class EditTrace:
    """Trace of one layer: inputs (T, in) and gradients (T, out) in float32, on the CPU."""

    inputs: torch.Tensor
    gradients: torch.Tensor


@dataclass(frozen=True, slots=True)
class TaughtPrompt:
    """Prompt and the target that should follow, as ids."""

    prompt: Sequence[int]
    target: Sequence[int]


def read_traces(
    access: Access, projections: Sequence[Projection], taught: Sequence[TaughtPrompt]
) -> list[EditTrace]:
    """Reads the traces of all prompts, one after the other: one for each projection.

    The gradient is that of the mean cross-entropy of a prompt's own target.
    """
    found = [_read_one(access, projections, each) for each in taught]
    return [
        EditTrace(*(torch.cat([getattr(each[at], name) for each in found]) for name in _NAMES))
        for at in range(len(projections))
    ]


_NAMES = ("inputs", "gradients")


def _read_one(
    access: Access, projections: Sequence[Projection], taught: TaughtPrompt
) -> list[EditTrace]:
    batch, places = target_batch(access, [taught.prompt], taught.target)
    inputs: list[torch.Tensor] = []
    shifts: list[torch.Tensor] = []

    def shift(_module: Any, args: tuple[Any, ...], output: torch.Tensor) -> torch.Tensor:
        inputs.append(args[0].detach())
        shifts.append(torch.zeros_like(output, requires_grad=True))
        return output + shifts[-1]

    with ExitStack() as hooks, torch.enable_grad():
        for projection in projections:
            hooks.enter_context(forward_hook(projection.module, shift))
        loss = loss_at(access.logits(batch), places, taught.target)
        gradients = torch.autograd.grad(loss, shifts)
    at = places[0]
    return [
        EditTrace(own[0, at].float().cpu(), gradient[0, at].float().cpu())
        for own, gradient in zip(inputs, gradients, strict=True)
    ]
