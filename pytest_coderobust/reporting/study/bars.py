"""Bars of adoption: of each arm's answers, the shares that did this and that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_coderobust.migration.study.result import StudyResult
from pytest_coderobust.migration.study.subsets import AdoptionResult, StudySubset
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.study.rows import NAME

KINDS = ("correct", "incorrect", "workaround", "stale", "other")
KIND_WORDS = {
    "correct": "new API, passes",
    "incorrect": "new API, fails",
    "workaround": "passes without it",
    "stale": "old name, fails",
    "other": "fails otherwise",
}


@dataclass(frozen=True, slots=True)
class BarPart:
    """A part of a bar: its kind, samples, and place in hundredths of the whole."""

    kind: str
    samples: int
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class AdoptionBar:
    """The bar of one arm.

    Attributes:
        told: the same in words, for those who cannot see it.
    """

    arm: str
    parts: tuple[BarPart, ...]
    told: str


def make_bars(result: StudyResult, subset: StudySubset) -> tuple[AdoptionBar, ...]:
    """Makes a bar for each arm that has answers of this subset."""
    return tuple(
        AdoptionBar(escape(arm.name, NAME), tuple(cut_bar(adoption)), _tell(adoption))
        for arm in result.arms
        if (found := arm.final.subset(subset)) is not None
        and (adoption := found.adoption) is not None
        and adoption.samples
    )


def cut_bar(adoption: AdoptionResult) -> Iterator[BarPart]:
    """Cuts a bar of 100 into its parts; empty ones are left out."""
    start = 0
    for kind in KINDS:
        samples: int = getattr(adoption, kind)
        if samples:
            end = start + samples
            places = [round(100 * each / adoption.samples, 2) for each in (start, end)]
            yield BarPart(kind, samples, places[0], round(places[1] - places[0], 2))
            start = end


def _tell(adoption: AdoptionResult) -> str:
    return ", ".join(f"{KIND_WORDS[part.kind]} {part.samples}" for part in cut_bar(adoption))
