"""Score that an attack lowers: the share of tests that a model's answers to a prompt pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.records import Cell, Task, Variant

Score = Callable[[Sequence[str]], Sequence[float]]
"""For each prompt the share of tests passed, in [0, 1]; 1 where the task is solved."""

DRAWN = "drawn"
"""The perturbation's name of a prompt that is in no plan."""


def score_of(measurement: Measurement, task: Task) -> Score:
    """Makes the score of prompts for a task under a suite's model, sampling and judge.

    The mean over the samples; completions and verdicts are kept in the ledger.
    """

    def score(prompts: Sequence[str]) -> list[float]:
        return [_share(measurement, Variant(task, Cell(DRAWN), prompt)) for prompt in prompts]

    return score


def _share(measurement: Measurement, variant: Variant) -> float:
    answered = measurement.answer(variant)
    if measurement.solved(answered):
        return 1.0
    shares = [verdict.passed / max(verdict.total, 1) for _, verdict in answered.verdicts]
    return min(sum(shares) / len(shares), 0.999)  # unsolved, however near
