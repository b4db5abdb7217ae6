"""Input and output of a projection at the end of a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.hooks import captured_states
from pytest_coderobust.editors.projection import Projection


@dataclass(frozen=True, slots=True)
class Lookup:
    """Input (the key) and output of a projection at a prompt's last token, in float32."""

    input: torch.Tensor
    output: torch.Tensor


def lookup(access: Access, projection: Projection, prompt: Sequence[int]) -> Lookup:
    """Reads both from one forward pass."""
    with (
        torch.no_grad(),
        captured_states(projection.module, "input") as inputs,
        captured_states(projection.module, "output") as outputs,
    ):
        access.logits(access.batch([prompt]))
    return Lookup(inputs[0][0, -1].float(), outputs[0][0, -1].float())
