"""The metrics by the names that gates and the JSON document use, and how each is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_coderobust.metrics.condition import ConditionSummary, Scores
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.metrics.quality_numbers import ConditionQuality
from pytest_coderobust.metrics.summary import ALL, Summary
from pytest_coderobust.records import CLEAN

WHOLE = ""
"""The condition of a metric that counts over the whole suite."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share at some k.

    Attributes:
        condition: the one meant where none is named.
        least: the smallest threshold that says anything.
        names_k: whether "@K" must be written (else the suite's smallest k is meant).
    """

    read: Callable[[Scores], Estimate | None]
    condition: str = ALL
    least: float = 0.0
    names_k: bool = False
    on_clean: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """A number of items, or of completions, of one condition or of the whole suite."""

    read: Callable[[ConditionSummary], int]
    condition: str = ALL
    on_clean: bool = False


@dataclass(frozen=True, slots=True)
class Total:
    """A number of tasks or completions of the whole suite."""

    read: Callable[[Summary], int]


@dataclass(frozen=True, slots=True)
class QualityShare:
    """A share of solutions that a linter judged, of one condition."""

    read: Callable[[ConditionQuality], Estimate | None]
    condition: str = CLEAN
    on_clean: bool = True


RATES: Mapping[str, Rate] = {
    "pass": Rate(lambda s: s.pass_at_k, CLEAN, names_k=True, on_clean=True),
    "rd": Rate(lambda s: s.rd, least=-1.0),
    "robust_pass": Rate(lambda s: s.robust_pass, names_k=True),
    "robust_drop": Rate(lambda s: s.robust_drop, least=-1.0),
    "robust_relative": Rate(lambda s: s.robust_relative),
}
COUNTS: Mapping[str, Count] = {
    "solved": Count(lambda c: c.solved, CLEAN, on_clean=True),
    "unsolved": Count(lambda c: c.unsolved, CLEAN, on_clean=True),
    "robust": Count(lambda c: c.robust),
    "broken": Count(lambda c: c.broken),
    "skipped": Count(lambda c: c.skipped, WHOLE, on_clean=True),
    "truncated": Count(lambda c: c.truncated, WHOLE, on_clean=True),
    "unfinished": Count(lambda c: c.unfinished, WHOLE, on_clean=True),
    "refused": Count(lambda c: c.refused, WHOLE, on_clean=True),
}
TOTALS: Mapping[str, Total] = {
    "unusable": Total(lambda s: len(s.unusable)),
    "unchecked": Total(lambda s: len(s.unchecked)),
    "skipped": Total(lambda s: sum(items for _, items in s.skipped)),
    "truncated": Total(lambda s: s.truncated),
    "unfinished": Total(lambda s: s.unfinished),
    "refused": Total(lambda s: s.refused),
}
QUALITIES: Mapping[str, QualityShare] = {
    "syntax_error_share": QualityShare(lambda quality: quality.syntax_share),
}
"""Measures of solutions' quality that a gate may be about: those that nothing else moves."""
NAMES: tuple[str, ...] = tuple(dict.fromkeys((*RATES, *COUNTS, *TOTALS, *QUALITIES)))


def find_default_condition(metric: str) -> str:
    """Finds the condition that a metric is about where none is named."""
    found = RATES.get(metric) or COUNTS.get(metric) or QUALITIES.get(metric)
    return found.condition if found else WHOLE


def allows_clean(metric: str) -> bool:
    """Says whether the metric can be asked of the clean condition."""
    found = RATES.get(metric) or COUNTS.get(metric) or QUALITIES.get(metric)
    return found is not None and found.on_clean


def read_metric(summary: Summary, metric: str, condition: str, k: int) -> tuple[float | None, str]:
    """Reads a metric's value, and the reason where it is None.

    Args:
        metric: one of `NAMES`.
        condition: a condition's name, or `WHOLE` for a metric of the whole suite.
        k: read by rates only.
    """
    if condition == WHOLE:
        if not summary.observed:
            return None, "nothing was measured"
        return float(TOTALS[metric].read(summary)), ""
    found = summary.condition(condition)
    if found is None:
        return None, f"{condition} was not planned"
    if not found.tasks:
        return None, f"nothing was measured under {condition}"
    if metric in COUNTS:
        return float(COUNTS[metric].read(found)), ""
    if metric in QUALITIES:
        return _read_quality(summary, metric, condition)
    scores = found.scores.get(k)
    if scores is None:
        return None, f"k = {k} was not measured"
    value = RATES[metric].read(scores)
    if value is None:
        return None, f"{metric} is undefined: the clean pass@{k} is 0"
    return value.value, ""


def _read_quality(summary: Summary, metric: str, condition: str) -> tuple[float | None, str]:
    if summary.quality is None:
        return None, "the quality of solutions was not judged: run with --quality"
    named = [each for each in summary.quality.conditions if each.name == condition]
    value = QUALITIES[metric].read(named[0]) if named else None
    if value is None:
        return None, f"no solution under {condition} was judged by {summary.quality.tool}"
    return value.value, ""


def read_interval(summary: Summary, metric: str, condition: str, k: int) -> Estimate | None:
    """Reads a rate with its interval; None where it is undefined, and for counts."""
    found = summary.condition(condition)
    scores = found.scores.get(k) if found else None
    return RATES[metric].read(scores) if scores and metric in RATES else None
