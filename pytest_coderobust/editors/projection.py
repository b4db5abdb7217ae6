"""The matrix that editors write: a layer's down-projection, alike for every architecture.

`nn.Linear` stores out x in where GPT-2's `Conv1D` stores in x out.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class Projection:
    """The matrix that leads out of an MLP: m = W a (+ b).

    Attributes:
        name: of the weight among the model's parameters.
        transposed: the weight is stored in x out.
    """

    module: Any
    name: str
    transposed: bool

    @property
    def parameter(self) -> torch.nn.Parameter:
        weight: torch.nn.Parameter = self.module.weight
        return weight

    def master(self) -> torch.Tensor:
        """A float32 copy of W, out x in."""
        weight = self.parameter.detach().to(torch.float32, copy=True)
        return weight.T.contiguous() if self.transposed else weight

    def stored(self, delta: torch.Tensor) -> torch.Tensor:
        """An out x in matrix in the orientation of the parameter."""
        return delta.T.contiguous() if self.transposed else delta


@contextmanager
def trainable_weight(projection: Projection) -> Generator[torch.Tensor]:
    """A float32 W (out x in) that the module computes with, for gradients.

    The parameter itself stays as it is, whatever its dtype.
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
