"""The interval of a mean of means: of a G-RIR, whose tasks return in every edit and category.

The task is the unit that is drawn again, with all its prompts, in every edit at once (the clustered
bootstrap; Davison and Hinkley 1997, section 3.8; percentiles: Efron and Tibshirani 1993, chapter
13). L-RIR has no lower bound and few tasks are broken, so read the interval with its number of
tasks. The draws are seeded by the number of tasks alone: equal input gives equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_coderobust.metrics.bootstrap import draw_tasks, take_middle
from pytest_coderobust.metrics.interval import CONFIDENCE
from pytest_coderobust.metrics.robustness import mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ResampledRows = list[list[tuple[str, float]]]
"""The values of each edit, with the tasks they belong to."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A mean over edits of means over tasks.

    Attributes:
        low, high: the interval; None of a single task.
        tasks: different tasks behind it.
    """

    value: float
    low: float | None
    high: float | None
    tasks: int


def measure_spread(groups: Sequence[ResampledRows]) -> Spread | None:
    """Takes the mean over groups of the mean over edits of the mean over values.

    Args:
        groups: the edits of each category. Edits and categories without a value are left out.

    Returns:
        The mean with its interval; None where there is no value.
    """
    kept = [rows for rows in ([row for row in rows if row] for rows in groups) if rows]
    value = mean(_mean(_mean(v for _, v in row) for row in rows) for rows in kept)
    if value is None:
        return None
    tasks = sorted({task for rows in kept for row in rows for task, _ in row})
    if len(tasks) < 2:
        return Spread(value, None, None, len(tasks))
    low, high = _redraw_interval(kept, tasks)
    return Spread(value, min(low, value), max(high, value), len(tasks))


def _redraw_interval(groups: Sequence[ResampledRows], tasks: Sequence[str]) -> tuple[float, float]:
    import numpy as np

    drawn = draw_tasks([25071640, len(tasks)], len(tasks), [1 / len(tasks)] * len(tasks))
    means = np.array([_redraw_means(rows, tasks, drawn) for rows in groups])  # (groups, draws)
    # A draw may miss every task of an edit or a category, which then has no mean in it.
    found: NDArray[np.float64] = np.ma.masked_invalid(means).mean(axis=0).compressed()
    return take_middle(found, CONFIDENCE)


def _redraw_means(
    rows: ResampledRows, tasks: Sequence[str], drawn: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Takes one category's mean over edits in every draw; NaN where a draw misses its tasks."""
    import numpy as np

    place = {task: index for index, task in enumerate(tasks)}
    sums = np.zeros((len(rows), len(tasks)))
    counts = np.zeros((len(rows), len(tasks)))
    for index, row in enumerate(rows):
        for task, value in row:
            sums[index, place[task]] += value
            counts[index, place[task]] += 1
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (drawn @ sums.T) / (drawn @ counts.T)  # (draws, edits)
    found: NDArray[np.float64] = np.ma.masked_invalid(means).mean(axis=1).filled(np.nan)
    return found


def _mean(values: Iterable[float]) -> float:
    found = mean(values)
    assert found is not None
    return found
