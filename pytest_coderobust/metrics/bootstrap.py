"""Bootstrap intervals, for numbers without a formula: tasks are redrawn, percentiles read.

The task is the unit that is drawn, so its seeds and samples stay together (the clustered
bootstrap; Davison and Hinkley 1997, section 3.8; percentiles: Efron and Tibshirani 1993, chapter
13). One pseudo-task is added to the tasks, spread evenly over the extreme values of a task,
after Agresti and Min (2005) for matched proportions: it keeps tasks that look alike (nothing broken
in 30) from claiming to be sure. Departure: theirs weighs two tasks and is for a difference of yes
and no; ours weighs one, because fractions spread less (bench/significance.py has the coverage).

The draws are seeded by the number of tasks alone, and tasks are sorted by value first, so equal
counts give equal bytes in any order. Ends are rounded to six digits: more than percentiles know,
and coarser than the rounding of a linear algebra library. Above `LARGEST` tasks, random groups of
tasks are drawn instead, which estimates the same spread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

from pytest_coderobust.metrics.interval import CONFIDENCE, Estimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RESAMPLES = 2000
LARGEST = 1000
"""Tasks that are redrawn one by one."""

PSEUDO_TASKS = 1
DIGITS = 6
"""Digits of an end that are kept: more than percentiles know."""

Values = tuple[float, ...]
"""One task: its value on each side, each in [0, 1]."""


def estimate_drop(
    value: float | None,
    before: Sequence[float],
    after: Sequence[float],
    confidence: float = CONFIDENCE,
) -> Estimate | None:
    """Estimates a drop from `before` to `after` with its interval; None where it is undefined.

    Args:
        value: (before - after) / before of the means.
        before, after: one value a task, in the same order.
    """
    if value is None:
        return None
    rows = list(zip(before, after, strict=True))
    low, high = take_percentiles(rows, lambda s: compute_drops(s[:, 0], s[:, 1]), confidence)
    return Estimate(value, min(low, value), max(high, value))


def bound_change(
    before: Sequence[float], after: Sequence[float], confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Bounds mean(after) - mean(before) by its interval; at least one task."""
    rows = list(zip(before, after, strict=True))
    return take_percentiles(rows, lambda s: s[:, 1] - s[:, 0], confidence)


def bound_drop_change(
    before: Sequence[tuple[float, float]],
    after: Sequence[tuple[float, float]],
    confidence: float = CONFIDENCE,
) -> tuple[float, float]:
    """Bounds the drop in `after` less the drop in `before` (a change of RD) by its interval.

    Args:
        before, after: each task's (clean, perturbed) values in two runs, in the same order.
    """
    rows = [(*old, *new) for old, new in zip(before, after, strict=True)]
    return take_percentiles(
        rows,
        lambda s: compute_drops(s[:, 2], s[:, 3]) - compute_drops(s[:, 0], s[:, 1]),
        confidence,
    )


def take_percentiles(
    rows: Sequence[Values], statistic: Callable[[Array], Array], confidence: float
) -> tuple[float, float]:
    """Finds the ends of the middle `confidence` of the redrawn statistic.

    Args:
        statistic: from means, shape (draws, sides), to one value a draw, shape (draws,).
    """
    return take_middle(statistic(redraw_means(rows)), confidence)


def redraw_means(rows: Sequence[Values]) -> Array:
    """Redraws the tasks, and takes the means of each side; shape (RESAMPLES, sides)."""
    import numpy as np

    sides = len(rows[0])
    # The last column counts tasks: groups of tasks are not all of one size.
    table = np.array([(*row, 1.0) for row in sorted(rows)], dtype=np.float64)
    if len(rows) > LARGEST:
        np.random.default_rng(len(rows)).shuffle(table)
        grouped = np.array([table[start::LARGEST].sum(axis=0) for start in range(LARGEST)])
        sums = draw_counts(LARGEST, 0) @ grouped
    else:
        pseudo = np.array([(*corner, 1.0) for corner in product((0.0, 1.0), repeat=sides)])
        sums = draw_counts(len(rows), len(pseudo)) @ np.vstack((table, pseudo))
    means: Array = sums[:, :sides] / sums[:, sides:]
    return means


@lru_cache(maxsize=4)
def draw_counts(tasks: int, pseudo: int) -> Array:
    """Draws tasks, then pseudo-tasks, and counts each; shape (RESAMPLES, tasks + pseudo)."""
    total = tasks + (PSEUDO_TASKS if pseudo else 0)
    chances = [1 / total] * tasks + [PSEUDO_TASKS / (total * pseudo) for _ in range(pseudo)]
    return draw_tasks([20050805, tasks, pseudo], round(total), chances)


def draw_tasks(seed: list[int], total: int, chances: Sequence[float]) -> Array:
    """Draws `total` tasks with replacement, and counts each; shape (RESAMPLES, tasks)."""
    import numpy as np

    counts = np.random.default_rng(seed).multinomial(total, chances, size=RESAMPLES)
    return counts.astype(np.float64)


def take_middle(values: Array, confidence: float) -> tuple[float, float]:
    """Reads the ends of the middle `confidence` of redrawn values, rounded to `DIGITS`."""
    import numpy as np

    tail = (1 - confidence) / 2
    low, high = np.quantile(values, (tail, 1 - tail))
    return round(float(low), DIGITS), round(float(high), DIGITS)


def compute_drops(before: Array, after: Array) -> Array:
    """Computes (before - after) / before, draw by draw.

    A draw in which nothing is solved before has no ratio; it counts as the least ever drawn with
    one, so that it widens the interval downwards and stays finite.
    """
    import numpy as np

    solved = before > 0
    if not solved.any():
        return np.zeros_like(before)
    ratio: Array = 1 - after / np.where(solved, before, 1.0)
    return np.where(solved, ratio, ratio[solved].min())
