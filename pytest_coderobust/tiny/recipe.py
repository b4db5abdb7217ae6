"""The numbers of the training recipe: everything but the seed that decides the weights."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cycle:
    """A rise and fall of the learning rate over samples that are shown once.

    Attributes:
        samples: fresh ones, which go on where the cycle before ended.
        rate: the highest learning rate.
        broad: share of the steps in which the loss also counts the prompt, so that every token
            gets a meaning; afterwards only the answer counts.
    """

    samples: int
    rate: float
    broad: float = 0.0


@dataclass(frozen=True, slots=True)
class TrainingRecipe:
    """How the bundled model is trained.

    Attributes:
        scale: share of every cycle's samples and steps.
        steps: stops after so many steps of the same schedule, 0 for all.
        warm: share of a cycle's steps in which the learning rate rises.
    """

    seed: int = 0
    scale: float = 1.0
    steps: int = 0
    cycles: tuple[Cycle, ...] = (
        Cycle(64_000, 3e-3, broad=0.05),
        Cycle(72_000, 2e-3),
        Cycle(60_000, 2e-3),
    )
    layers: int = 8
    hidden: int = 128
    inner: int = 344
    heads: int = 4
    vocabulary: int = 1024
    context: int = 512
    batch: int = 16
    decay: float = 0.05
    clip: float = 1.0
    warm: float = 0.05

    @property
    def samples(self) -> tuple[int, ...]:
        """Samples of each cycle, in whole batches."""
        return tuple(
            max(1, round(cycle.samples * self.scale) // self.batch) * self.batch
            for cycle in self.cycles
        )

    @property
    def run_steps(self) -> int:
        planned = sum(self.samples) // self.batch
        return min(self.steps or planned, planned)
