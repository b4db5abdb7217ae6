"""Stages that solutions come to: they parse, load, find every name, and pass.

A study of API migration counts code that relies on an old API as code that does not compile, though
Python looks names up when it runs. So *compiles* means here that a solution loads and that its
first failure is no failed look-up: no NameError, ImportError or AttributeError of a module, and no
attempt on the old name of a declared change. `COMPILE_AT_LOAD` is the narrower sense.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from pytest_coderobust.records import Level, Verdict


class Stage(IntEnum):
    """The last stage that a solution came to; each includes the ones before it."""

    NONE = 0  # does not parse
    PARSES = 1  # parses, and does not load
    LOADS = 2  # loads, and does not find a name
    RESOLVES = 3  # finds every name, and is wrong
    PASSES = 4


COMPILE = Stage.RESOLVES
COMPILE_AT_LOAD = Stage.LOADS
LOOKUPS = ("NameError:", "ImportError:", "ModuleNotFoundError:", "AttributeError: module ")


def find_stage(verdict: Verdict) -> Stage:
    """Finds the stage of one judged solution."""
    if verdict.full:
        return Stage.PASSES
    if verdict.level is Level.NONE:
        return Stage.NONE
    # A whole program that raises in every case has the level of one that does not load.
    if verdict.level is Level.COMPILE and verdict.failure != "exception":
        return Stage.PARSES
    reached = any(use.old for use in verdict.api_uses)
    return Stage.LOADS if reached or is_failed_lookup(verdict) else Stage.RESOLVES


def is_failed_lookup(verdict: Verdict) -> bool:
    """Whether the first failure is that a name was not found."""
    return verdict.failure in ("exception", "load-error") and verdict.detail.startswith(LOOKUPS)


@dataclass(frozen=True, slots=True)
class StageCounts:
    """Samples that came to each stage at least.

    Attributes:
        n: samples in all.
    """

    n: int
    parses: int
    loads: int
    resolves: int
    passes: int

    @property
    def ends(self) -> tuple[int, int, int, int, int]:
        """Samples by their last stage: not parsed, not loaded, no name found, wrong, passed."""
        return (
            self.n - self.parses,
            self.parses - self.loads,
            self.loads - self.resolves,
            self.resolves - self.passes,
            self.passes,
        )


def count_stages(verdicts: Iterable[Verdict]) -> StageCounts:
    """Counts samples by the stages they came to."""
    return count_reached(map(find_stage, verdicts))


def count_reached(stages: Iterable[Stage]) -> StageCounts:
    """Counts samples by their last stages."""
    found = Counter(stages)
    reached = [sum(found[stage] for stage in Stage if stage >= least) for least in Stage]
    return StageCounts(*reached)
