"""Sampling of the next token of each row by that row's own noise.

Sampling from torch's global generator gives a row other tokens when the rest of its batch changes.
Here every row has a generator of its own, seeded from its completion's key, and draws one uniform
number a step; the token is the one whose interval of the cumulative distribution holds that number.
The batch then influences a row's sample through the rounding of its logits only.

The intervals are in vocabulary order, not in order of probability: rounding may swap two tokens of
almost equal probability, and would then swap their intervals.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from transformers import LogitsProcessor

from pytest_coderobust.records import Sampling


class Chooser:
    """Chooses the next token of every row; several rows may share their scores.

    Args:
        noise: one seed a row.
        steps: the most tokens that may be asked for.
    """

    def __init__(self, noise: Sequence[int], steps: int, sampling: Sampling) -> None:
        self._sampling = sampling
        drawn = [] if sampling.greedy else [uniforms(seed, steps) for seed in noise]
        self._uniform = torch.tensor(drawn, dtype=torch.float64)  # (rows, steps)

    def __call__(
        self, scores: torch.Tensor, owners: Sequence[tuple[int, int]], step: int
    ) -> list[int]:
        """Chooses the tokens of the owners, each given by the place of its scores and its row.

        Raises:
            ArithmeticError: a score is NaN.
        """
        refuse_nan(scores)
        places = torch.tensor([place for place, _ in owners], device=scores.device)
        if self._sampling.greedy:
            chosen = scores.argmax(dim=-1)[places]
        else:
            uniform = self._uniform[[row for _, row in owners], step].to(scores.device)
            nucleus = cumulative(scores, self._sampling.temperature, self._sampling.top_p)
            chosen = pick(nucleus[places], uniform)
        found: list[int] = chosen.tolist()
        return found


class RowNoise(LogitsProcessor):
    """Turns scores into the choice of one token a row; greedy decoding then takes it.

    Args:
        noise: one seed a row.
        width: length of the padded prompts, so that the step is known.
        steps: the most tokens that may be asked for.
    """

    def __init__(
        self, noise: Sequence[int], width: int, steps: int, temperature: float, top_p: float
    ) -> None:
        # The shape is (rows, steps).
        self._uniform = torch.tensor([uniforms(seed, steps) for seed in noise], dtype=torch.float64)
        self._width = width
        self._temperature = temperature
        self._top_p = top_p

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        step = input_ids.shape[1] - self._width
        uniform = self._uniform[:, step].to(scores.device)  # (rows,)
        chosen = choose(scores, uniform, self._temperature, self._top_p)
        result = torch.full_like(scores, -torch.inf)
        return result.scatter_(1, chosen[:, None], 0.0)


class RefuseNaN(LogitsProcessor):
    """Ends generation where a score is NaN, since the argmax of NaN is a token all the same.

    Half precision overflows in some models, which then write nonsense that looks like an answer.
    """

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        refuse_nan(scores)
        return scores


def refuse_nan(scores: torch.Tensor) -> None:
    """Refuses scores that are NaN.

    Raises:
        ArithmeticError: a score is NaN.
    """
    if bool(scores.isnan().any()):
        raise ArithmeticError(f"its scores in {scores.dtype} are NaN; try another dtype")


def uniforms(seed: int, steps: int) -> list[float]:
    """Draws the numbers in [0, 1) that choose a row's tokens, step by step."""
    generator = random.Random(seed)
    return [generator.random() for _ in range(steps)]


def choose(
    scores: torch.Tensor,  # (rows, vocabulary)
    uniform: torch.Tensor,  # (rows,), in [0, 1)
    temperature: float,
    top_p: float,
) -> torch.Tensor:  # (rows,)
    """Chooses each row's token: the one at which its cumulative distribution passes `uniform`."""
    return pick(cumulative(scores, temperature, top_p), uniform)


def cumulative(
    scores: torch.Tensor,  # (rows, vocabulary)
    temperature: float,
    top_p: float,
) -> torch.Tensor:  # (rows, vocabulary), float64
    """Computes the cumulative distribution of each row, in vocabulary order.

    Nucleus sampling (Holtzman et al. 2020) keeps the fewest most probable tokens that hold
    `top_p` of the probability; always at least one.
    """
    probability = torch.softmax(scores.to(torch.float64) / temperature, dim=-1)
    if top_p < 1.0:
        ranked, order = probability.sort(dim=-1, descending=True, stable=True)
        before = ranked.cumsum(dim=-1) - ranked
        outside = before >= top_p
        outside[:, 0] = False
        probability = torch.zeros_like(probability).scatter_(
            1, order, ranked.masked_fill(outside, 0.0)
        )
    return probability.cumsum(dim=-1)


def pick(
    distribution: torch.Tensor,  # (rows, vocabulary), cumulative
    uniform: torch.Tensor,  # (rows,), in [0, 1)
) -> torch.Tensor:  # (rows,)
    """Finds the token of each row at which the distribution passes `uniform`."""
    # A number below 1 times the total stays below the total, so a possible token is found.
    target = uniform[:, None] * distribution[:, -1:]
    return torch.searchsorted(distribution, target, right=True)[:, 0]
