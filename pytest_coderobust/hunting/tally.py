"""Tally of a hunt on one suite, for its reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from pytest_coderobust.hunting.failure import Failure
from pytest_coderobust.hunting.hunt import Hunted


@dataclass(frozen=True, slots=True)
class SuiteHunt:
    """The hunt on one suite.

    Attributes:
        files: the path of each failure's file, by the failure's id.
        notes: sentences the report must show.
        threads: the processor threads that the model wrote with, "" where it did not say.
    """

    suite: str
    model: str
    names: tuple[str, ...]
    hunted: tuple[Hunted, ...]
    files: Mapping[str, str]
    notes: tuple[str, ...] = ()
    threads: str = ""

    @property
    def failures(self) -> tuple[Failure, ...]:
        """In order of their tasks' first appearance."""
        return tuple(each.failure for each in self.hunted if each.failure is not None)

    @property
    def counts(self) -> HuntTally:
        """The counts over all tasks."""
        return tally(self.hunted)


@dataclass(frozen=True, slots=True)
class HuntTally:
    """Counts over one suite's hunt.

    Attributes:
        endings: tasks by how their search ended.
        kinds: edits of the minima by kind, the most frequent first.
        edits: the median number of edits of a minimum; None without one.
        completions: completions asked for, over all tasks.
        fixed, still: replayed failures that are solved now, or fail again.
    """

    tasks: int
    endings: Mapping[str, int]
    kinds: Mapping[str, int]
    edits: float | None
    completions: int
    fixed: tuple[Failure, ...]
    still: tuple[Failure, ...]


def tally(hunted: Sequence[Hunted]) -> HuntTally:
    """Counts what a hunt found."""
    failures = [each.failure for each in hunted if each.failure is not None]
    kinds = Counter(edit.kind for failure in failures for edit in failure.edits)
    replayed = [pair for each in hunted for pair in each.replayed]
    return HuntTally(
        tasks=len(hunted),
        endings=dict(Counter(each.ending for each in hunted)),
        kinds=dict(sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))),
        edits=median(len(failure.edits) for failure in failures) if failures else None,
        completions=sum(each.spent.completions for each in hunted),
        fixed=tuple(failure for failure, fails in replayed if not fails),
        still=tuple(failure for failure, fails in replayed if fails),
    )
