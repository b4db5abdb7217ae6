"""Forward hooks that last as long as a context, for layers that return tensors or tuples.

A layer returns one or the other by architecture and version (transformers 4.57 and 5.x).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Literal

import torch


def tensor_of(output: Any) -> torch.Tensor:
    """Takes the hidden states from the output of a module."""
    tensor: torch.Tensor = output[0] if isinstance(output, (tuple, list)) else output
    return tensor


def with_tensor(output: Any, tensor: torch.Tensor) -> Any:
    """Replaces the hidden states in the output of a module, in the same container."""
    if isinstance(output, (tuple, list)):
        return type(output)((tensor, *output[1:]))
    return tensor


@contextmanager
def forward_hook(module: Any, hook: Any) -> Generator[None]:
    """Context in which a module has a forward hook."""
    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def captured_states(module: Any, what: Literal["input", "output"]) -> Generator[list[torch.Tensor]]:
    """Context that collects every input, or output, of a module."""
    found: list[torch.Tensor] = []

    def look(_module: Any, args: tuple[Any, ...], output: Any) -> None:
        found.append(args[0] if what == "input" else tensor_of(output))

    with forward_hook(module, look):
        yield found
