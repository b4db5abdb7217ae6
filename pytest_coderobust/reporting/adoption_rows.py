"""The adoption of declared API changes, as text that every report for people shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_coderobust.metrics.adoption import AdoptionCounts
from pytest_coderobust.metrics.eligible import EligibleCounts
from pytest_coderobust.metrics.stages import StageCounts
from pytest_coderobust.records import ApiChange
from pytest_coderobust.reporting.hostile import escape

NAMED = 10
STAGE_HEADINGS = (
    "stages", "does not parse", "does not load", "misses a name", "is wrong", "passes",
)  # fmt: skip
ELIGIBLE_HEADINGS = (
    "eligible", "tasks", "correct", "incorrect", "workaround", "stale", "other", "lost",
)  # fmt: skip
HEADINGS = ("adoption", "correct", "incorrect", "workaround", "none", "stale")


def list_changes(changes: Sequence[ApiChange]) -> Iterator[str]:
    """Lists the declared changes, one a line; beyond `NAMED` they are counted."""
    for change in changes[:NAMED]:
        yield escape(change.label)
    if len(changes) > NAMED:
        yield f"and {len(changes) - NAMED} more changes"


def make_adoption_row(counts: AdoptionCounts) -> tuple[str, ...]:
    """Makes a condition's counts, for all but the first of `HEADINGS`."""
    four = (counts.correct, counts.incorrect, counts.workaround, counts.none)
    return tuple(map(str, (*four, counts.stale)))


def make_eligible_row(found: EligibleCounts) -> tuple[str, ...]:
    """Makes the row of the eligible tasks, for all but the first of `ELIGIBLE_HEADINGS`."""
    five = (found.correct, found.incorrect, found.workaround, found.stale, found.other)
    return f"{found.eligible} of {found.tasks}", *map(str, (*five, found.lost))


def make_stage_row(stages: StageCounts) -> tuple[str, ...]:
    """Makes the counts of a condition by last stage, for all but the first of `STAGE_HEADINGS`."""
    return tuple(map(str, stages.ends))
