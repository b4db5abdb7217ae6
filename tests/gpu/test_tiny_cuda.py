"""The recipe on an accelerator."""

from __future__ import annotations

import pytest
import torch

from pytest_coderobust.tiny.recipe import TrainingRecipe
from pytest_coderobust.tiny.training import train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def test_the_recipe_learns_on_cuda() -> None:
    losses = train(TrainingRecipe(scale=0.02), "cuda").losses
    assert sum(losses[-10:]) < 0.7 * sum(losses[5:15])
