"""Regressions of a study: specificity tasks that are solved without an edit, and not with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_coderobust.migration.study.outcomes import PairOutcome
from pytest_coderobust.migration.study.subsets import RegressionResult
from pytest_coderobust.migration.study.tabulation import StudyReferences, bound


@dataclass(frozen=True, slots=True)
class TurnedTasks:
    """Specificity tasks that turned under one edit."""

    lost: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()


def find_turned(
    outcomes: Sequence[PairOutcome], references: StudyReferences
) -> dict[int, TurnedTasks]:
    """Finds the tasks that each edit turned, by its number.

    Args:
        outcomes: those of specificity tasks.
    """
    edits = sorted({each.pair.edit for each in outcomes})
    found: dict[int, TurnedTasks] = {}
    for edit in edits:
        own = [each for each in outcomes if each.pair.edit == edit]
        sides = [(each.pair.task, *_sides(each, references)) for each in own]
        found[edit] = TurnedTasks(
            tuple(task for task, was, now in sides if was and not now),
            tuple(task for task, was, now in sides if now and not was),
        )
    return found


def count_regressions(
    outcomes: Sequence[PairOutcome], references: StudyReferences
) -> RegressionResult | None:
    """Counts regressions per task and per edit; None without specificity tasks."""
    if not outcomes:
        return None
    turned = find_turned(outcomes, references)
    solved = [each for each in outcomes if _sides(each, references)[0]]
    lost = [float(not _sides(each, references)[1]) for each in solved]
    return RegressionResult(
        edits=len(turned),
        tasks=len({each.pair.task for each in outcomes}),
        solved=len(solved),
        lost=round(sum(lost)),
        repaired=sum(len(each.repaired) for each in turned.values()),
        rate=bound(solved, lost) if solved else None,
        edits_with_lost=sum(bool(each.lost) for each in turned.values()),
        lost_tasks=tuple(sorted({task for each in turned.values() for task in each.lost})),
    )


def _sides(outcome: PairOutcome, references: StudyReferences) -> tuple[bool, bool]:
    before = references.unedited[outcome.pair.key]
    return before.is_solved(references.solved_at), outcome.is_solved(references.solved_at)
