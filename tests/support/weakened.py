"""A deliberately weakened copy of the bundled model."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from pytest_coderobust.tiny import checkpoint_path

LAYER = 3
NOISE = 2.4
"""Spread of the noise, in spreads of the weight it is added to: much is lost, not everything."""


def weakened(folder: Path, seed: int) -> Path:
    """A copy of the bundled checkpoint with noise in the weights of one layer."""
    folder.mkdir()
    for file in checkpoint_path().iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    weights = load_file(folder / "model.safetensors")
    generator = torch.Generator().manual_seed(seed)
    for name, weight in weights.items():
        if f"layers.{LAYER}." in name and weight.dim() == 2:
            noise = torch.randn(weight.shape, generator=generator)
            weights[name] = (weight + NOISE * weight.float().std() * noise).to(weight.dtype)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
