"""Settings of a training, and the presets that name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

LossMean = Literal["token", "sample"]
Schedule = Literal["linear", "cosine", "constant"]
SCHEDULES: tuple[Schedule, ...] = ("linear", "cosine", "constant")
CAREFUL_RATE = 1e-4
"""The learning rate from which a big model is trained through LoRA or not at all."""
BIG = 100_000_000
"""Parameters of a big model."""


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """A LoRA adapter on every linear layer but the head (Hu et al. 2021)."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.1


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """All numbers that decide the weights, beside the base and the data.

    Attributes:
        rate: the highest learning rate.
        epochs: passes over the rows; `steps` cuts them short where it is not 0, and decides alone
            where `epochs` is 0.
        batch: rows of a forward pass. A step has `batch * accumulate` rows, however many
            processes share them.
        max_tokens: prompt and answer together; longer rows are left out and counted.
        schedule: the fall of the rate after `warm`, the share of steps in which it rises.
        decay: weight decay of matrices.
        clip: the norm that the gradient of a step is cut to.
        mean: the loss is the mean over the answers' tokens of a step, or of each forward pass and
            then over those: with one row a pass the mean of samples.
        save_every: steps between two checkpoints; 0 is a tenth of the training.
    """

    rate: float = 2e-5
    epochs: int = 2
    steps: int = 0
    batch: int = 1
    accumulate: int = 16
    max_tokens: int = 1024
    schedule: Schedule = "linear"
    warm: float = 0.0
    decay: float = 0.01
    clip: float = 1.0
    mean: LossMean = "sample"
    seed: int = 42
    save_every: int = 0
    lora: LoraSettings | None = None


@dataclass(frozen=True, slots=True)
class TrainingPreset:
    """Settings by a name, with the data that they were made for.

    Attributes:
        data: the source; "" where the user has to name one.
        chosen: the set that is built of it while it is read; "" takes the rows as they are.
        rows: the number of rows; None takes all.
    """

    settings: TrainingSettings
    data: str = ""
    chosen: str = ""
    rows: int | None = None


PRESETS: Mapping[str, TrainingPreset] = {
    # Liu et al. 2026, as their code (SafeCoder's trainer) has it; the gradient is clipped once a
    # step, where that code clips after each forward pass.
    "liu2026": TrainingPreset(TrainingSettings()),
    "tiny-robust": TrainingPreset(
        TrainingSettings(
            rate=1e-3,
            epochs=1,
            batch=16,
            accumulate=1,
            max_tokens=512,
            schedule="cosine",
            warm=0.05,
            mean="token",
        ),
        data="tiny:corpus",
        chosen="mix_all",
        rows=9_600,
    ),
}
"""Every preset by its name; the first is the default."""
