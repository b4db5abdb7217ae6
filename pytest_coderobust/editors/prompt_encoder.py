"""Encoder of prompts: two layers that put paraphrases near and other prompts far (A-GRACE)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
from torch.nn.functional import leaky_relu, linear, normalize

OUTPUTS = 256
"""Entries of a code."""

_RATIO = 4
_LEAST = 8


@dataclass(frozen=True, slots=True, eq=False)
class EncoderWeights:
    """Weights of an encoder, each a tensor in float32.

    Attributes:
        centre, scale: inputs are standardised by them, (d,).
        first, first_bias: (h, d) and (h,).
        second, second_bias: (256, h) and (256,).
    """

    centre: torch.Tensor
    scale: torch.Tensor
    first: torch.Tensor
    first_bias: torch.Tensor
    second: torch.Tensor
    second_bias: torch.Tensor

    def named(self, prefix: str = "") -> dict[str, torch.Tensor]:
        """Gives the tensors by name."""
        return {f"{prefix}{each.name}": getattr(self, each.name) for each in fields(self)}

    def to(self, device: torch.device) -> EncoderWeights:
        """Copies the tensors to a device."""
        return EncoderWeights(**{name: each.to(device) for name, each in self.named().items()})


@dataclass(frozen=True, slots=True, eq=False)
class PromptEncoder:
    """Encoder of mean prompt states, (rows, d) -> (rows, 256).

    Attributes:
        slope: of the activation below zero; 0 is ReLU.
        unit: whether codes have the length 1.
    """

    weights: EncoderWeights
    slope: float = 0.0
    unit: bool = False

    def encode(self, states: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """Encodes states.

        Args:
            kept: factors of the hidden units, (rows, h), for dropout.
        """
        own = self.weights
        inputs = (states.float() - own.centre) / own.scale
        hidden = leaky_relu(linear(inputs, own.first, own.first_bias), self.slope)
        codes = linear(hidden if kept is None else hidden * kept, own.second, own.second_bias)
        return normalize(codes, dim=-1) if self.unit else codes

    def to(self, device: torch.device) -> PromptEncoder:
        """Copies the encoder to a device."""
        return PromptEncoder(self.weights.to(device), self.slope, self.unit)


def make_weights(
    states: torch.Tensor, random: torch.Generator, *, standardise: bool
) -> EncoderWeights:
    """Draws untrained weights, uniform within 1/sqrt(inputs) as torch's own layers are.

    Args:
        states: the training inputs, (n, d), by which inputs are standardised.
    """
    width = states.shape[1]
    hidden = max(_LEAST, width // _RATIO)

    def draw(rows: int, columns: int) -> tuple[torch.Tensor, torch.Tensor]:
        bound = columns**-0.5
        drawn = [torch.rand(shape, generator=random) for shape in ((rows, columns), (rows,))]
        return (2 * drawn[0] - 1) * bound, (2 * drawn[1] - 1) * bound

    centre, scale = torch.zeros(width), torch.ones(width)
    if standardise:
        centre = states.mean(dim=0)
        scale = states.std(dim=0).clamp(min=1e-6)
    return EncoderWeights(centre, scale, *draw(hidden, width), *draw(OUTPUTS, hidden))


def read_weights(tensors: Mapping[str, torch.Tensor], prefix: str = "") -> EncoderWeights:
    """Takes the weights from named tensors.

    Raises:
        KeyError: one is missing.
    """
    return EncoderWeights(
        **{each.name: tensors[f"{prefix}{each.name}"] for each in fields(EncoderWeights)}
    )
