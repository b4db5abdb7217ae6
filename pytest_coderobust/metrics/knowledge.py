"""Means of an editor's scores over knowledge cases, each also minus the unedited model's.

The case is the unit that is drawn: its rewrites and neighbours go together. Shares have Wilson's
interval at the effective number of cases; differences are paired, case by case, and have the
bootstrap's. Fluency, in bits, has the bootstrap's in both places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from pytest_coderobust.metrics.bootstrap import bound_change
from pytest_coderobust.metrics.interval import estimate
from pytest_coderobust.metrics.resampling import measure_spread
from pytest_coderobust.records.edit_scores import CaseScores, NeighbourScores

ANSWER = ("em", "bleu", "rouge_l")
ASPECTS: Mapping[str, tuple[str, ...]] = {
    "effectiveness": ANSWER,
    "generalisation": ANSWER,
    "specificity": ("em_all", "em_each", "bleu", "rouge_l"),
    "fluency": ("bits",),
    "natural_effectiveness": ANSWER,
    "natural_generalisation": ANSWER,
}
"""The aspects of a case and the scores of each; "em_all" is what CLMEEval calls EM."""


@dataclass(frozen=True, slots=True)
class BoundedMean:
    """Mean over cases; `low` and `high` are its 95 % interval, None of a single case."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class KnowledgeMean:
    """One score of an editor over the cases that have it.

    Attributes:
        mean: of the edited model.
        gain: edited minus unedited, case by case; None for the unedited model itself.
        cases: how many have this score.
    """

    aspect: str
    score: str
    mean: BoundedMean
    gain: BoundedMean | None
    cases: int


def average_cases(
    scores: Sequence[CaseScores], control: Sequence[CaseScores] | None
) -> tuple[KnowledgeMean, ...]:
    """Averages every score that a case has.

    Args:
        control: scores of the same cases on the unedited model, in the same order; None for those
            of the unedited model.
    """
    found: list[KnowledgeMean] = []
    for aspect, names in ASPECTS.items():
        places = [place for place, each in enumerate(scores) if _has(each, aspect)]
        if not places:
            continue
        for name in names:
            values = [_read(scores[place], aspect, name) for place in places]
            before = None if control is None else [
                _read(control[place], aspect, name) for place in places
            ]  # fmt: skip
            draws = sum(_count_draws(scores[place], name) for place in places)
            found.append(_average(aspect, name, values, before, draws))
    return tuple(found)


def find_median(values: Sequence[float]) -> float | None:
    """Finds the middle value; None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _average(
    aspect: str, name: str, values: Sequence[float], before: Sequence[float] | None, draws: int
) -> KnowledgeMean:
    if aspect == "fluency":
        gaps = [] if before is None else [a - b for a, b in zip(values, before, strict=True)]
        gain = None if before is None else _bootstrap(gaps)
        return KnowledgeMean(aspect, name, _bootstrap(values), gain, len(values))
    found = estimate(values, draws)
    assert found is not None
    mean = BoundedMean(found.value, found.low, found.high)
    gain = None
    if before is not None:
        low, high = bound_change(before, values)
        value = (fsum(values) - fsum(before)) / len(values)
        gain = BoundedMean(value, min(low, value), max(high, value))
    return KnowledgeMean(aspect, name, mean, gain, len(values))


def _bootstrap(values: Sequence[float]) -> BoundedMean:
    found = measure_spread([[[(str(place), value) for place, value in enumerate(values)]]])
    assert found is not None
    return BoundedMean(found.value, found.low, found.high)


def _has(scores: CaseScores, aspect: str) -> bool:
    return getattr(scores, aspect) is not None


def _read(scores: CaseScores, aspect: str, name: str) -> float:
    found = getattr(scores, aspect)
    return float(found if aspect == "fluency" else getattr(found, name))


def _count_draws(scores: CaseScores, name: str) -> int:
    """Counts the answers behind one case's share: each neighbour's is one."""
    around = scores.specificity
    return around.count if name == "em_each" and isinstance(around, NeighbourScores) else 1
