"""Rate gates as bets: evidence that stays valid after any number of looks.

A rate gate is linear in its tasks. pass@1 >= t holds where the mean of x - t is at least 0, and
rd <= t, which is (P - P') / P <= t, where the mean of p' - (1 - t) p is: no ratio is left. Each
task gives one such score, its seeds and samples averaged, in a known interval around 0.

Testing by betting (Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by
betting", JRSS-B 86:1-27): a stake b on a score z turns a capital of 1 into 1 + b z. Where the mean
is 0 or less nobody can expect to win, so the chance that the capital ever reaches 1/d is at most d
(Ville's inequality), for any shape of the scores and any number of looks. The stakes are a
grid, each with an equal part of the capital: their mean is a capital too, it needs no tuning, and
the order of the tasks between two looks does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_coderobust.gates.gate import Gate
from pytest_coderobust.metrics.robustness import (
    TaskScore,
    average_variants,
    sum_changes,
    take_worst,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STAKES = 20
"""Stakes on the grid: shares of the most that can be staked without risking ruin."""

LOOKING = 0.2
"""The part of a gate's error that all early looks may spend; the end of the run has the rest."""

_AFTER: Mapping[str, Callable[[Sequence[TaskScore]], tuple[float, ...]]] = {
    "pass": average_variants,
    "rd": average_variants,
    "robust_pass": take_worst,
    "robust_drop": take_worst,
    "robust_relative": sum_changes,
}
_DROPS = ("rd", "robust_drop")


@dataclass(frozen=True, slots=True)
class GateForm:
    """A rate gate as a mean of scores: met where it is positive, missed where it is negative.

    Attributes:
        low, high: the ends of what one task can score, around 0.
        drop: whether the metric is a drop from the clean pass@k, undefined where that is 0.
    """

    metric: str
    sign: float
    threshold: float
    low: float
    high: float
    drop: bool

    def score(self, task: TaskScore) -> float:
        """Scores one task: above 0 where it speaks for the gate, below 0 where against."""
        after = _AFTER[self.metric]([task])[0]
        if self.drop:
            return self.sign * (after - (1 - self.threshold) * task.clean)
        return self.sign * (after - self.threshold)


def make_form(gate: Gate) -> GateForm:
    drop = gate.metric in _DROPS
    # A pass rate is met from above, a drop from below: its form counts what is kept.
    sign = 1.0 if (gate.operator in (">=", ">")) != drop else -1.0
    t = gate.threshold
    ends = (t - 1, 1.0) if drop else (-t, 1 - t)
    low, high = sorted(sign * end for end in ends)
    return GateForm(gate.metric, sign, t, min(low, 0.0), max(high, 0.0), drop)


class Bets:
    """Two capitals: one grows while the mean score is above 0, the other while it is below."""

    def __init__(self, low: float, high: float) -> None:
        self._above = Capital(-low)
        self._below = Capital(high)

    def take(self, scores: Sequence[float]) -> None:
        """Bets on the scores of some more tasks."""
        self._above.take(scores)
        self._below.take([-score for score in scores])

    def decision(self, error: float) -> bool | None:
        """Decides whether the mean is above 0; None while that is open.

        Args:
            error: the chance that this is ever wrong, half of it on each side.
        """
        above, below = self._above.value, self._below.value
        return above > below if max(above, below) >= 2 / error else None


class Capital:
    """The capital of a gambler who starts with 1 and bets that the mean score is above 0.

    Args:
        worst: the largest distance of one score below 0.
    """

    def __init__(self, worst: float) -> None:
        self._worst = worst
        self._logs: NDArray[np.float64] | None = None

    def take(self, scores: Sequence[float]) -> None:
        if self._worst <= 0 or not scores:
            return  # nothing can be lost, so nothing is a bet
        import numpy as np

        stakes = np.arange(1, STAKES + 1) / ((STAKES + 1) * self._worst)
        won = np.log1p(np.outer(stakes, np.asarray(scores))).sum(axis=1)
        self._logs = won if self._logs is None else self._logs + won

    @property
    def value(self) -> float:
        """The mean capital over the stakes."""
        if self._logs is None:
            return 1.0
        import numpy as np

        return float(np.exp(np.minimum(self._logs, 600.0)).mean())
