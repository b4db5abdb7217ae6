"""RD and ReCode's robust three, from one task's pass@k on its clean prompt and on its variants.

Sources: relative degradation as in perturbed fine-tuning (Liu et al. 2026), (P - P') / P; robust
pass_s@k, robust drop_s@k and robust relative_s@k of Wang et al. 2022, "ReCode", section 4.3.

Departures from ReCode. It pairs the i-th sample of every variant; samples of different prompts
have nothing in common, and only counts are kept here, so the worst of a task is its lowest pass@k.
The two agree for one sample a prompt (greedy decoding, what ReCode reports); for more samples ours
is the larger. Robust relative follows the paper (a task gained counts when any variant passes), not
the released script (only when every variant passes).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum


@dataclass(frozen=True, slots=True)
class TaskScore:
    """One task's pass@k: on its clean prompt, and on each measured variant (at least one)."""

    clean: float
    variants: tuple[float, ...]


def mean(values: Iterable[float]) -> float | None:
    """The mean, summed without rounding so that the order never matters; None of nothing."""
    known = tuple(values)
    return fsum(known) / len(known) if known else None


def drop(clean: float | None, other: float | None) -> float | None:
    """(clean - other) / clean: negative when the other is better, None where clean is 0."""
    return (clean - other) / clean if clean and other is not None else None


def average_variants(scores: Sequence[TaskScore]) -> tuple[float, ...]:
    """Averages each task's pass@k over its variants."""
    return tuple(fsum(score.variants) / len(score.variants) for score in scores)


def take_worst(scores: Sequence[TaskScore]) -> tuple[float, ...]:
    """Takes each task's pass@k on its worst variant: robust pass_s@k is their mean."""
    return tuple(min(score.variants) for score in scores)


def relative_degradation(scores: Sequence[TaskScore]) -> float | None:
    """RD: the share of the clean pass@k that the average variant loses, over the same tasks."""
    return drop(mean(score.clean for score in scores), mean(average_variants(scores)))


def robust_drop(scores: Sequence[TaskScore]) -> float | None:
    """ReCode's RD_s@k: the share of the clean pass@k that the worst variant loses."""
    return drop(mean(score.clean for score in scores), mean(take_worst(scores)))


def sum_changes(scores: Sequence[TaskScore]) -> tuple[float, ...]:
    """Adds the loss of each task's worst variant and the gain of its best one."""
    return tuple(
        max(score.clean - min(score.variants), 0.0) + max(max(score.variants) - score.clean, 0.0)
        for score in scores
    )


def robust_relative(scores: Sequence[TaskScore]) -> float | None:
    """ReCode's RR_s@k: the share of tasks whose outcome some variant changes, either way."""
    return mean(sum_changes(scores))
