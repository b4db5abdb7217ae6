"""The noise floor: the movement of a suite's clean pass@k while the model stays the same.

Movement is the range over re-runs. Greedy decoding moves with the batch size, because padding and
kernels change the rounding of logits; sampling moves with its seed. One task is a step of 1/n, so
no number of n tasks is finer than that. The floor is the largest of the three. A range over a
handful of runs is a lower bound on what can happen: a threshold below it is certainly too fine.
"""

from __future__ import annotations

from dataclasses import dataclass

Run = tuple[int, float]
"""A batch size or a sampling seed, and the clean pass@k that it gave."""


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """The measured movements; all values are differences of pass@k.

    Attributes:
        tasks: measured in every re-run.
        batches, seeds: the re-runs; one seed alone under greedy decoding, which draws nothing.
    """

    k: int
    tasks: int
    batches: tuple[Run, ...]
    seeds: tuple[Run, ...]

    @property
    def batch_movement(self) -> float:
        """Range over batch sizes."""
        return measure_range(self.batches)

    @property
    def seed_movement(self) -> float:
        """Range over sampling seeds."""
        return measure_range(self.seeds)

    @property
    def step(self) -> float:
        """The share of one task; 1 where there is none."""
        return 1 / self.tasks if self.tasks else 1.0

    @property
    def value(self) -> float:
        """The floor: the largest of the three."""
        return max(self.batch_movement, self.seed_movement, self.step)

    @property
    def source(self) -> str:
        """The name of the largest of the three."""
        named = {
            "sampling seeds": self.seed_movement,
            "batch sizes": self.batch_movement,
            "one task": self.step,
        }
        return max(named, key=lambda name: named[name])


def measure_range(runs: tuple[Run, ...]) -> float:
    """Measures the range of the values; 0 of fewer than two."""
    values = [value for _, value in runs]
    return max(values) - min(values) if values else 0.0
