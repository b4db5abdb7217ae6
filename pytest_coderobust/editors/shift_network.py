"""Hyper-network of MALMEN: turns a token's input and gradient into a wanted change of its output.

    z = [u; g], normalised by running mean and deviation
    z <- z + s_l * ReLU(z A B + c) + t_l       in each block; A drawn from N(0, 1), B = 0
    D = -eta_l (u . u~) g~                     with [u~; g~] = z

One network serves all layers, each with its own s, t, eta and ridge e^lambda. Untrained, it is a
step along the normalised gradient. Tan et al. 2024 (arXiv 2311.04661).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch

PARAMETERS = ("first", "second", "bias", "scale", "offset", "eta", "ridge")
_STATISTICS = ("count", "mean", "square")


@dataclass(frozen=True, slots=True, eq=False)
class ShiftNetwork:
    """Hyper-network as tensors in float32, z being inputs + outputs of the matrices.

    Attributes:
        first, second, bias: A (blocks, z, rank), B (blocks, rank, z) and c (blocks, z).
        scale, offset: s and t, (layers, blocks, z).
        eta, ridge: eta and lambda, (layers,).
        count, mean, square: running number, mean and sum of squared deviations of z.
    """

    first: torch.Tensor
    second: torch.Tensor
    bias: torch.Tensor
    scale: torch.Tensor
    offset: torch.Tensor
    eta: torch.Tensor
    ridge: torch.Tensor
    count: torch.Tensor
    mean: torch.Tensor
    square: torch.Tensor

    def named(self) -> dict[str, torch.Tensor]:
        """Gives the tensors by name."""
        return {name: getattr(self, name) for name in (*PARAMETERS, *_STATISTICS)}

    @property
    def size(self) -> int:
        """Number of trained entries."""
        return sum(getattr(self, name).numel() for name in PARAMETERS)

    def want(self, inputs: torch.Tensor, gradients: torch.Tensor, layer: int) -> torch.Tensor:
        """Computes the wanted changes D of a layer's tokens, (T, out).

        Args:
            inputs, gradients: (T, in) and (T, out).
            layer: the place of the layer among those that are edited.
        """
        states = (torch.cat([inputs, gradients], dim=-1) - self.mean) / self._deviation
        for block in range(len(self.first)):
            hidden = torch.relu(states @ self.first[block] @ self.second[block] + self.bias[block])
            states = states + self.scale[layer, block] * hidden + self.offset[layer, block]
        width = inputs.shape[-1]
        along = (inputs * states[:, :width]).sum(dim=-1, keepdim=True)
        return -self.eta[layer] * along * states[:, width:]

    def observe(self, inputs: torch.Tensor, gradients: torch.Tensor) -> None:
        """Adds tokens to the running statistics, in place."""
        states = torch.cat([inputs, gradients], dim=-1)
        count = self.count + len(states)
        mean = states.mean(dim=0)
        apart = mean - self.mean
        within = (states - mean).square().sum(dim=0)
        self.square.add_(within + apart.square() * self.count * len(states) / count)
        self.mean.add_(apart * len(states) / count)
        self.count.copy_(count)

    @property
    def _deviation(self) -> torch.Tensor:
        return (self.square / (self.count - 1).clamp(min=1)).sqrt() + 1e-12


def make_network(
    inputs: int, outputs: int, layers: int, blocks: int, rank: int, eta: float, seed: int
) -> ShiftNetwork:
    """Makes an untrained network."""
    width = inputs + outputs
    random = torch.Generator().manual_seed(seed)
    return ShiftNetwork(
        first=torch.randn(blocks, width, rank, generator=random),
        second=torch.zeros(blocks, rank, width),
        bias=torch.zeros(blocks, width),
        scale=torch.ones(layers, blocks, width),
        offset=torch.zeros(layers, blocks, width),
        eta=torch.full((layers,), eta),
        ridge=torch.zeros(layers),
        count=torch.zeros(()),
        mean=torch.zeros(width),
        square=torch.zeros(width),
    )


def read_shift_network(tensors: Mapping[str, torch.Tensor]) -> ShiftNetwork:
    """Takes a network from named tensors.

    Raises:
        KeyError: one is missing.
    """
    return ShiftNetwork(**{name: tensors[name] for name in (*PARAMETERS, *_STATISTICS)})


def copy_network(
    network: ShiftNetwork, trained: Iterable[str] = PARAMETERS, dtype: torch.dtype = torch.float32
) -> ShiftNetwork:
    """Copies a network; the named tensors of the copy have gradients."""
    names = set(trained)
    made = {name: each.detach().clone().to(dtype) for name, each in network.named().items()}
    return ShiftNetwork(**{name: each.requires_grad_(name in names) for name, each in made.items()})
