"""Down-projection of a layer: the matrix that editors write, the same for every architecture.

`nn.Linear` stores it out x in, GPT-2's `Conv1D` stores it in x out.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class Projection:
    """Matrix that leads out of an MLP: m = W a (+ b).

    Attributes:
        name: the weight's name among the model's parameters.
        transposed: the weight is stored in x out.
    """

    module: Any
    name: str
    transposed: bool

    @property
    def parameter(self) -> torch.nn.Parameter:
        weight: torch.nn.Parameter = self.module.weight
        return weight

    @property
    def width(self) -> int:
        """Number of inputs, which is the length of a key."""
        rows, columns = self.parameter.shape
        return rows if self.transposed else columns

    def master(self) -> torch.Tensor:
        """Copies W in float32, out x in."""
        weight = self.parameter.detach().to(torch.float32, copy=True)
        return weight.T.contiguous() if self.transposed else weight

    def stored(self, delta: torch.Tensor) -> torch.Tensor:
        """Turns an out x in matrix into the orientation of the parameter."""
        return delta.T.contiguous() if self.transposed else delta


@contextmanager
def trainable_weight(projection: Projection) -> Generator[torch.Tensor]:
    """Context in which the module computes with a float32 W (out x in) that has gradients.

    The parameter itself stays as it is, in its own dtype.
    """
    module = projection.module
    weight = projection.master().requires_grad_()
    bias = None if module.bias is None else module.bias.detach().float()

    def forward(values: torch.Tensor) -> torch.Tensor:
        result = torch.nn.functional.linear(values.float(), weight, bias)
        return result.to(values.dtype)

    before = module.__dict__.get("forward")
    module.forward = forward
    try:
        yield weight
    finally:
        del module.forward
        if before is not None:
            module.forward = before
