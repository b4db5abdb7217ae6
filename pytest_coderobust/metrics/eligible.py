"""Adoption among the tasks where a model used the API before: the eligible ones.

Without an edit every pass under a change is a workaround, and many tasks are solved without the API
at all. A change of habit shows only where there was one: where the unedited model, in the old
world, uses the API and passes. What becomes of these tasks is counted here; those that now fail
are *lost*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass

from pytest_coderobust.metrics.adoption import classify_adoption, is_stale
from pytest_coderobust.metrics.outcome import is_solved
from pytest_coderobust.records import Adoption, ApiChange, Verdict


def watch_api(change: ApiChange) -> ApiChange:
    """Makes the declaration that counts uses of an old API and changes nothing."""
    return ApiChange(change.old, kind="watched")


@dataclass(frozen=True, slots=True)
class EligibleCounts:
    """Counts of the eligible tasks; the adoptions count their samples and sum to all of them.

    Attributes:
        tasks: tasks that were asked in both worlds.
        eligible: of them, where the old API was used by samples that pass.
        stale: neither pass nor use the new API, and reached for the old one.
        other: neither pass nor use the new API, nor reach for the old one.
        lost: eligible tasks that are not solved any more.
    """

    tasks: int
    eligible: int
    correct: int
    incorrect: int
    workaround: int
    stale: int
    other: int
    lost: int

    @property
    def adoption(self) -> float | None:
        """The share of correct adoptions; None where no task is eligible."""
        total = self.correct + self.incorrect + self.workaround + self.stale + self.other
        return self.correct / total if total else None


def count_eligible(
    before: Mapping[str, Sequence[Verdict]],
    after: Mapping[str, Sequence[Verdict]],
    solved_at: float = 0.5,
) -> EligibleCounts:
    """Counts what became of the eligible tasks.

    Args:
        before: by task, the samples of the unedited model in the old world, judged with the APIs
            watched (`watch_api`).
        after: by task, samples under the changes.
        solved_at: the share of samples that must use the API and pass for a task to be eligible,
            and pass for it to count as solved.
    """
    both = [task for task in before if after.get(task) and before[task]]
    eligible = [
        task
        for task in both
        if is_solved(len(before[task]), sum(map(uses_and_passes, before[task])), solved_at)
    ]
    samples = [verdict for task in eligible for verdict in after[task]]
    found = Counter(map(classify_adoption, samples))
    stale = sum(map(is_stale, samples))
    solved = [
        task
        for task in eligible
        if is_solved(len(after[task]), sum(each.full for each in after[task]), solved_at)
    ]
    return EligibleCounts(
        tasks=len(both),
        eligible=len(eligible),
        correct=found[Adoption.CORRECT],
        incorrect=found[Adoption.INCORRECT],
        workaround=found[Adoption.WORKAROUND],
        stale=stale,
        other=found[Adoption.NONE] - stale,
        lost=len(eligible) - len(solved),
    )


def add_counts(parts: Iterable[EligibleCounts]) -> EligibleCounts | None:
    """Adds up the counts of different tasks; None of none."""
    rows = [astuple(part) for part in parts]
    return EligibleCounts(*map(sum, zip(*rows, strict=True))) if rows else None


def uses_and_passes(verdict: Verdict) -> bool:
    """Whether a sample passes and uses a watched API."""
    return verdict.full and any(use.new for use in verdict.api_uses)
