"""The training recipe: the numbers that decide the weights."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cycle:
    """A rise and fall of the learning rate over samples that are shown once.

    Attributes:
        samples: number of new samples, which follow those of the cycle before.
        rate: the highest learning rate.
        broad: share of the steps in which the loss also counts the prompt, so that every token
            gets a meaning. Afterwards only the answer counts.
    """

    samples: int
    rate: float
    broad: float = 0.0


@dataclass(frozen=True, slots=True)
class TrainingRecipe:
    """The numbers of one training; the defaults are those of the bundled model.

    Attributes:
        scale: share of every cycle's samples and steps.
        steps: number of steps after which training stops; 0 means all. The schedule is the same.
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
        """Number of samples in each cycle, in whole batches."""
        return tuple(
            max(1, round(cycle.samples * self.scale) // self.batch) * self.batch
            for cycle in self.cycles
        )

    @property
    def run_steps(self) -> int:
        planned = sum(self.samples) // self.batch
        return min(self.steps or planned, planned)
