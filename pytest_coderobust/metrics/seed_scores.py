"""Each seed of a perturbation by itself: whether its loss is the perturbation's or the draw's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_coderobust.metrics.condition import score_task
from pytest_coderobust.metrics.robustness import mean, relative_degradation
from pytest_coderobust.records import Cell, Observation, Status, SuiteRun


@dataclass(frozen=True, slots=True)
class SeedScore:
    """One cell's numbers at the run's smallest k.

    Attributes:
        tasks: measured ones.
        pass_at_k: the mean over tasks; None without one.
        rd: relative degradation over the same tasks; None where no clean prompt is solved.
        broken: tasks that are broken under this cell.
    """

    cell: Cell
    k: int
    tasks: int
    pass_at_k: float | None
    rd: float | None
    broken: int


def score_seeds(run: SuiteRun) -> tuple[SeedScore, ...]:
    """Scores every perturbed cell of the plan, in plan order."""
    own: dict[Cell, list[Observation]] = {cell: [] for cell in run.cells if not cell.is_clean}
    for o in run.observations:
        if o.cell in own and o.measured and not o.self_edited:
            own[o.cell].append(o)
    return tuple(score_seed(cell, found, min(run.ks)) for cell, found in own.items())


def score_seed(cell: Cell, measured: Sequence[Observation], k: int) -> SeedScore:
    """Scores one cell.

    Args:
        measured: its measured observations, one a task.
    """
    scores = [score_task(k, [o]) for o in measured]
    return SeedScore(
        cell=cell,
        k=k,
        tasks=len(scores),
        pass_at_k=mean(score.variants[0] for score in scores),
        rd=relative_degradation(scores),
        broken=sum(o.status is Status.BROKEN for o in measured),
    )
