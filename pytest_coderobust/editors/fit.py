"""Fit of a model to the targets of requests: their NLL, and whether each token is the likeliest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.protocol import EditRequest, ModelChange
from pytest_coderobust.editors.targets import is_met, loss_at, target_batch

LEAST_GAIN = 0.05
"""Share by which an edit must lower the NLL of its targets; less is no edit (as in GRACE)."""


@dataclass(frozen=True, slots=True)
class TargetFit:
    """Fit of a model to some targets.

    Attributes:
        nll: mean over requests of the mean NLL of a target's tokens behind its bare prompt.
        met: every token of every target is the likeliest one. The mean hides the first token,
            which decides: at 0.6 a model may write another name still.
    """

    nll: float
    met: bool


@dataclass(frozen=True, slots=True)
class FitChange:
    """Fit before and after an edit; `met` is that after, None where it is not known."""

    before: float
    after: float
    met: bool | None

    @property
    def moved(self) -> bool:
        """Whether the edit did anything for its targets."""
        return bool(self.met) or self.after <= self.before * (1 - LEAST_GAIN)


def measure_fit(access: Access, requests: Sequence[EditRequest]) -> TargetFit:
    """Measures the fit of the present model."""
    losses: list[float] = []
    met = True
    with access.model_threads(), torch.no_grad():
        for request in requests:
            target = access.target(request)
            prompt = access.encode(request, request.perturbed)
            batch, places = target_batch(access, [prompt], target)
            logits = access.logits(batch)
            losses.append(float(loss_at(logits, places, target)))
            met = met and is_met(logits, places, target)
    return TargetFit(sum(losses) / len(losses), met)


def compare_fit(
    access: Access, change: ModelChange, requests: Sequence[EditRequest], before: TargetFit
) -> FitChange:
    """Compares the fit before with that of the model under a change.

    A codebook is looked up while a prompt is read, which a target behind it would disturb: its own
    losses take the place, and nothing is known of single tokens.
    """
    if change.kind in ("codebook", "encoded-codebook"):
        losses = cast("Sequence[float]", change.facts["losses"])
        return FitChange(losses[0], min(losses), None)
    with change.installed(access):
        after = measure_fit(access, requests)
    return FitChange(before.nll, after.nll, after.met)
