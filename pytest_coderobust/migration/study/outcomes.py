"""Outcomes of a study: the verdicts on one task after one edit, by arm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pytest_coderobust.metrics.attribution import CompileCounts
from pytest_coderobust.metrics.outcome import is_solved
from pytest_coderobust.metrics.stages import COMPILE, find_stage
from pytest_coderobust.migration.study.subsets import StudySubset
from pytest_coderobust.records import Level, Verdict

PairKey = tuple[int, str]
"""Number of an edit, and a task."""


@dataclass(frozen=True, slots=True)
class StudyPair:
    """A task that is asked after an edit.

    Attributes:
        edit: the number of the edit, or of edits so far, from 1.
        group: what intervals redraw it with.
        own: the place of the task's own change among those in force; None for specificity.
    """

    edit: int
    task: str
    group: str
    subset: StudySubset
    own: int | None = None

    @property
    def key(self) -> PairKey:
        return self.edit, self.task


@dataclass(frozen=True, slots=True)
class PairOutcome:
    """The samples of a pair under one arm.

    Attributes:
        verdicts: one a sample, with the uses of every change in force.
    """

    pair: StudyPair
    verdicts: tuple[Verdict, ...]

    @property
    def own_verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts with the uses of the task's own change alone."""
        own = self.pair.own
        if own is None:
            return self.verdicts
        return tuple(replace(each, api_uses=each.api_uses[own : own + 1]) for each in self.verdicts)

    @property
    def passed(self) -> int:
        return sum(verdict.full for verdict in self.verdicts)

    @property
    def partial(self) -> int:
        """Samples that pass one test or more."""
        return sum(verdict.level in (Level.PARTIAL, Level.FULL) for verdict in self.verdicts)

    @property
    def counts(self) -> CompileCounts:
        """Samples that find every name, and of them those that pass."""
        compiled = sum(find_stage(verdict) >= COMPILE for verdict in self.verdicts)
        return CompileCounts(len(self.verdicts), compiled, self.passed)

    def is_solved(self, solved_at: float) -> bool:
        return is_solved(len(self.verdicts), self.passed, solved_at)


def by_key(outcomes: Iterable[PairOutcome]) -> Mapping[PairKey, PairOutcome]:
    """Orders outcomes by edit and task."""
    return {outcome.pair.key: outcome for outcome in outcomes}
