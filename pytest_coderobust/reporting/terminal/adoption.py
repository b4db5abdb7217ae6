"""What solutions made of declared API changes, in the person's report and in the machine's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_coderobust.metrics.adoption import AdoptionCounts
from pytest_coderobust.records import ApiChange
from pytest_coderobust.reporting.hostile import visible

NAMED = 10
HEADINGS = ("adoption", "correct", "incorrect", "workaround", "none")


def change_lines(changes: Sequence[ApiChange]) -> Iterator[str]:
    """The declared changes, one a line; many are counted."""
    for change in changes[:NAMED]:
        yield visible(change.label)
    if len(changes) > NAMED:
        yield f"and {len(changes) - NAMED} more changes"


def adoption_row(counts: AdoptionCounts) -> tuple[str, str, str, str]:
    """A condition's counts, under all but the first of `HEADINGS`."""
    found = (counts.correct, counts.incorrect, counts.workaround, counts.none)
    correct, incorrect, workaround, none = map(str, found)
    return correct, incorrect, workaround, none


def adoption_object(
    changes: Sequence[ApiChange], conditions: Sequence[AdoptionCounts]
) -> dict[str, object]:
    """The document's part: the changes, and the counts by condition."""
    return {
        "changes": [{"old": change.old, "new": change.new or None} for change in changes],
        "conditions": {
            counts.condition: {
                "correct": counts.correct,
                "incorrect": counts.incorrect,
                "workaround": counts.workaround,
                "none": counts.none,
            }
            for counts in conditions
        },
    }
