"""The comparison of two runs of a suite: every change with its interval, and one verdict.

`pytest_coderobust.metrics.paired` computes it; docs/baselines.md says what the words mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_coderobust.records import Square

ComparisonVerdict = Literal["regressed", "not worse", "inconclusive"]


@dataclass(frozen=True, slots=True)
class RateChange:
    """One rate in two runs, over the tasks they share.

    Attributes:
        condition: "clean", a perturbation, a level or "all".
        measure: "pass@1", or "rd", for which more is worse.
        before, after: None where undefined (RD of nothing solved).
        change: after less before; `low` and `high` are its 95 % interval.
        p: of the paired test, two-sided; None for RD, whose interval alone speaks.
        method: how p, or else the interval, was found.
        detectable: the smallest worsening that would be detected with a power of 80 %.
        decides: whether the verdict on the run rests on it.
    """

    condition: str
    measure: str
    tasks: int
    before: float | None
    after: float | None
    change: float
    low: float
    high: float
    p: float | None
    method: str
    detectable: float
    verdict: ComparisonVerdict
    decides: bool = False


@dataclass(frozen=True, slots=True)
class RunComparison:
    """The comparison of two runs of a suite.

    Attributes:
        fragile: squares that were solved and are not any more, in plan order.
        fixed: squares that were not solved and are now.
        unchanged: how many squares are solved in both runs, or in neither.
        changes: pass@k of every condition, then RD of every perturbed one.
    """

    verdict: ComparisonVerdict
    margin: float
    k: int
    tasks: int
    changes: tuple[RateChange, ...]
    fragile: tuple[Square, ...]
    fixed: tuple[Square, ...]
    unchanged: int

    @property
    def deciding(self) -> tuple[RateChange, ...]:
        """The changes that the verdict rests on."""
        return tuple(change for change in self.changes if change.decides)
