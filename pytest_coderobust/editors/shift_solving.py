"""Solution for MALMEN's shift of a matrix, and its gradient without the graph of a model.

    S = U'(U U' + r I)^-1 D          the dual of (U'U + r I)^-1 U'D
    X = (M - U'(U U' + r I)^-1 U M) / r   = (U'U + r I)^-1 M, for M = dL/dS

U holds the inputs of T tokens, (T, in), D the wanted changes of their outputs, (T, out), and r is
the ridge e^lambda. Everything is float64. Tan et al. 2024 (arXiv 2311.04661) solve the primal.
"""

from __future__ import annotations

import torch


def solve_shift(inputs: torch.Tensor, wanted: torch.Tensor, ridge: float) -> torch.Tensor:
    """Solves for the shift S, (in, out), by the small system of the tokens."""
    return inputs.T @ _solve_tokens(inputs, wanted, ridge)


def solve_gradient(inputs: torch.Tensor, gradient: torch.Tensor, ridge: float) -> torch.Tensor:
    """Solves for X, (in, out), from the gradient M of the loss by the shift, (in, out).

    The gradient by D is then U X, and that by lambda is -ridge <X, S>.
    """
    across = inputs.T @ _solve_tokens(inputs, inputs @ gradient, ridge)
    return (gradient - across) / ridge


def _solve_tokens(inputs: torch.Tensor, right: torch.Tensor, ridge: float) -> torch.Tensor:
    """Solves (U U' + r I) x = right."""
    kernel = inputs @ inputs.T
    kernel.diagonal().add_(ridge)
    solved: torch.Tensor = torch.linalg.solve(kernel, right)
    return solved
