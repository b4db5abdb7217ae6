"""Adoption of API changes: whether solutions use the new API that their tasks declare.

    uses a new API, passes every test      correct adoption
    uses a new API, and fails              incorrect adoption
    passes without one                     workaround
    neither                                none, and stale if it reached for an old API

A new API is used when the solution called it while it was judged, read an attribute of a new class,
checked an instance against it, or imported it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pytest_coderobust.metrics.stages import Stage, StageCounts, count_reached
from pytest_coderobust.records import CLEAN, Adoption, Observation, SuiteRun, Verdict


def classify_adoption(verdict: Verdict) -> Adoption:
    """Classifies one judged solution by its use of the task's new APIs."""
    if any(use.new for use in verdict.api_uses):
        return Adoption.CORRECT if verdict.full else Adoption.INCORRECT
    return Adoption.WORKAROUND if verdict.full else Adoption.NONE


def is_stale(verdict: Verdict) -> bool:
    """Whether a solution neither passes nor uses a new API, and reached for an old one."""
    reached = any(use.old for use in verdict.api_uses)
    return reached and classify_adoption(verdict) is Adoption.NONE


@dataclass(frozen=True, slots=True)
class AdoptionCounts:
    """The completions of one condition, counted by adoption; the first four sum to all of them.

    Attributes:
        condition: "clean" or a perturbation, all its seeds together.
        stale: of `none`, those that reached for an old API.
        stages: the stages that they came to; None of a run that did not note them.
    """

    condition: str
    correct: int = 0
    incorrect: int = 0
    workaround: int = 0
    none: int = 0
    stale: int = 0
    stages: StageCounts | None = None


def count_adoptions(run: SuiteRun) -> tuple[AdoptionCounts, ...]:
    """Counts each planned condition, in plan order; empty where no task declares a change."""
    if not run.api_changes:
        return ()
    names = dict.fromkeys((CLEAN, *(cell.perturbation for cell in run.cells)))
    return tuple(count_condition(name, run.observations) for name in names)


def count_condition(condition: str, observations: Iterable[Observation]) -> AdoptionCounts:
    seen = [each for each in observations if each.cell.perturbation == condition]
    stages = [Stage(stage) for observation in seen for stage in observation.stages]
    found = Counter(adoption for observation in seen for adoption in observation.adoptions)
    return AdoptionCounts(
        condition,
        correct=found[Adoption.CORRECT],
        incorrect=found[Adoption.INCORRECT],
        workaround=found[Adoption.WORKAROUND],
        none=found[Adoption.NONE],
        stale=sum(observation.stale for observation in seen),
        stages=count_reached(stages) if stages else None,
    )
