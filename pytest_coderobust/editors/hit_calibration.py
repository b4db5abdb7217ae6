"""Calibration of when a prompt is taken for the edited one, on cases that trained nothing.

Each held-out case is a codebook of one key. The threshold is the largest that leaves all neighbours
of at least the wanted share of cases outside; its generalisation is what that buys.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, inf

import torch

from pytest_coderobust.editors.encoder_training import CaseStates
from pytest_coderobust.editors.prompt_encoder import PromptEncoder

_MARGIN = 1e-4
"""Share by which a threshold stays below the first neighbour that it must not reach: rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutScores:
    """Scores of held-out cases: distances to the key, or their ratios to the nearest of a bank.

    Attributes:
        near: of the paraphrases, (m,).
        far: the smallest of each case's neighbours, (n,).
    """

    near: torch.Tensor
    far: torch.Tensor


@dataclass(frozen=True, slots=True)
class HitThreshold:
    """Threshold of a score, at most which a prompt is taken for the edited one.

    Attributes:
        specificity: share of the held-out cases none of whose neighbours is reached.
        generalisation: share of the held-out paraphrases that are.
        cases: number of cases that it was chosen on.
    """

    value: float
    specificity: float
    generalisation: float
    cases: int


def calibrate(scores: HeldOutScores, specificity: float) -> HitThreshold:
    """Finds the largest threshold with at least the wanted all-of-k specificity."""
    far = scores.far.double().sort().values
    allowed = floor((1 - specificity) * len(far) + 1e-9)
    first = float(far[allowed]) if allowed < len(far) else inf
    return measure_threshold(scores, first * (1 - _MARGIN))


def measure_threshold(scores: HeldOutScores, value: float) -> HitThreshold:
    """Measures what a threshold does to cases."""
    return HitThreshold(
        value=value,
        specificity=float((scores.far.double() > value).double().mean()),
        generalisation=float((scores.near.double() <= value).double().mean()),
        cases=len(scores.far),
    )


def score_cases(
    encoder: PromptEncoder, cases: CaseStates, bank: torch.Tensor | None
) -> HeldOutScores:
    """Scores the paraphrases and neighbours of cases, each against its own key.

    Args:
        bank: codes of ordinary prompts, (b, 256); None scores by the distance alone.
    """
    keys = encoder.encode(cases.anchors)
    found: list[torch.Tensor] = []
    for states, real in (
        (cases.positives, cases.is_positive),
        (cases.negatives, cases.is_negative),
    ):
        codes = encoder.encode(states)
        gaps = (codes - keys[:, None]).norm(dim=-1)
        if bank is not None:
            nearest = find_nearest(codes.flatten(0, 1), bank).reshape(gaps.shape)
            beyond = torch.where(gaps > 0, inf, 0.0)  # the bank holds this very prompt
            gaps = torch.where(nearest > 0, gaps / nearest, beyond)
        found.append(gaps.masked_fill(~real, inf))
    near, far = found
    return HeldOutScores(near[cases.is_positive], far.min(dim=1).values)


def find_nearest(codes: torch.Tensor, bank: torch.Tensor) -> torch.Tensor:
    """Computes the distance of each code to the nearest of a bank: (rows,)."""
    exact = "donot_use_mm_for_euclid_dist"  # the matrix form rounds small distances away
    return torch.cdist(codes[None], bank[None], compute_mode=exact)[0].min(dim=1).values
