"""Forward hooks that last as long as a context, alike for layers that return tensors and tuples.

Which of both a layer returns depends on architecture and version (transformers 4.57 and 5.x).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Literal

import torch


def tensor_of(output: Any) -> torch.Tensor:
    """The hidden states in what a module returns."""
    tensor: torch.Tensor = output[0] if isinstance(output, (tuple, list)) else output
    return tensor


def with_tensor(output: Any, tensor: torch.Tensor) -> Any:
    """What a module returns, its hidden states replaced, in the same container."""
    if isinstance(output, (tuple, list)):
        return type(output)((tensor, *output[1:]))
    return tensor


@contextmanager
def forward_hook(module: Any, hook: Any) -> Generator[None]:
    """A forward hook for as long as the context lasts."""
    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def captured_states(module: Any, what: Literal["input", "output"]) -> Generator[list[torch.Tensor]]:
    """Every input, or output, that a module sees inside the context."""
    found: list[torch.Tensor] = []

    def look(_module: Any, args: tuple[Any, ...], output: Any) -> None:
        found.append(args[0] if what == "input" else tensor_of(output))

    with forward_hook(module, look):
        yield found
