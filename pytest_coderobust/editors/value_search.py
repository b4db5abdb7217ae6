"""Search of the value that makes a model answer as told: shifts of some modules' outputs, by Adam.

    loss = NLL(target) + kl KL(P_d || P_0) + decay sum |d| / |v0|^2,  |d| <= clamp |v0|

The target's tokens are teacher-forced behind every context, and the KL is taken on a neutral code
prompt, not on the prompt that is edited. ROME, MEMIT and PMET share it (EasyEdit's `compute_v`,
`compute_z`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.nn.functional import kl_div

from pytest_coderobust.editors.access import Access, TokenBatch
from pytest_coderobust.editors.hooks import forward_hook, tensor_of, with_tensor
from pytest_coderobust.editors.prefixes import NEUTRAL
from pytest_coderobust.editors.targets import is_met, loss_at, target_batch

_MET = 0.1
"""Weight of the NLL once every token of the target is the likeliest (PMET)."""

_NEAR = 0.01
"""Weighted KL at which such a search ends (PMET)."""


class SearchOptions(Protocol):
    """Options of a search; see `RomeOptions`."""

    @property
    def lr(self) -> float: ...
    @property
    def steps(self) -> int: ...
    @property
    def clamp(self) -> float: ...
    @property
    def kl(self) -> float: ...
    @property
    def decay(self) -> float: ...
    @property
    def stop(self) -> float: ...


@dataclass(frozen=True, slots=True, eq=False)
class ShiftSite:
    """Module whose output is shifted at the prompt's last token, and its output there, (out,)."""

    module: Any
    value: torch.Tensor


def search_shifts(
    access: Access,
    sites: Sequence[ShiftSite],
    prompts: Sequence[Sequence[int]],
    target: Sequence[int],
    options: SearchOptions,
    *,
    relaxed: bool = False,
) -> tuple[list[torch.Tensor], list[float]]:
    """Finds one shift for each site, jointly; returns (shifts, losses).

    Args:
        prompts: the prompt's ids in each of its contexts.
        relaxed: weighs the NLL less once the target is the likeliest, and ends near the unedited
            model, as PMET does.
    """
    batch, places = target_batch(access, prompts, target)
    neutral = access.batch([access.backend.encode(NEUTRAL, "python")])
    before = _distribution(access, neutral).detach()
    shifts = [torch.zeros_like(site.value).requires_grad_() for site in sites]
    optimizer = torch.optim.Adam(shifts, lr=options.lr)
    losses: list[float] = []
    for _ in range(options.steps):
        with _shifted_outputs(sites, places[:, :1], shifts):
            logits = access.logits(batch)
        with _shifted_outputs(sites, neutral.last()[:, None], shifts):
            after = _distribution(access, neutral)
        # kl_div(q, p) is KL(p || q): here KL(edited || unedited), as in paper and code.
        distance = options.kl * kl_div(before, after, log_target=True, reduction="sum")
        met = relaxed and is_met(logits, places, target)
        nll = loss_at(logits, places, target)
        loss = (_MET * nll if met else nll) + distance
        for site, shift in zip(sites, shifts, strict=True):
            loss = loss + options.decay * shift.norm() / site.value.norm() ** 2
        losses.append(loss.item())
        near = met and float(distance) <= _NEAR
        if losses[-1] < options.stop or near or len(losses) == options.steps:
            break
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        for site, shift in zip(sites, shifts, strict=True):
            _clamp_shift(shift, options.clamp * site.value.norm())
    return [shift.detach() for shift in shifts], losses


def _clamp_shift(shift: torch.Tensor, most: torch.Tensor) -> None:
    """Scales the shift back to the largest norm, when a step went beyond it."""
    with torch.no_grad():
        norm = shift.norm()
        if norm > most:
            shift.mul_(most / norm)


def _distribution(access: Access, batch: TokenBatch) -> torch.Tensor:
    """Computes the log-probabilities of the next token of a single row."""
    return access.logits(batch)[0, batch.last()[0]].float().log_softmax(dim=-1)


@contextmanager
def _shifted_outputs(
    sites: Sequence[ShiftSite], places: torch.Tensor, shifts: Sequence[torch.Tensor]
) -> Generator[None]:
    """Context in which each shift is added to its site's output at `places`, (rows, 1)."""

    def adder(shift: torch.Tensor) -> Callable[..., Any]:
        def add(_module: Any, _args: Any, output: Any) -> Any:
            states = tensor_of(output)
            at = torch.zeros_like(states[..., :1])
            at.scatter_(1, places.to(at.device)[..., None], 1.0)
            return with_tensor(output, states + at * shift.to(states.device, states.dtype))

        return add

    with ExitStack() as hooks:
        for site, shift in zip(sites, shifts, strict=True):
            hooks.enter_context(forward_hook(site.module, adder(shift)))
        yield
