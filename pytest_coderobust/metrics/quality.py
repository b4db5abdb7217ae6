"""Quality of solutions: a linter's messages per 100 lines and its score, by condition.

A syntax error hides every other message of its file, so its share stands by itself and all else is
of solutions that parse. Solutions that fail are of lower quality than those that pass, so a model
that solves less looks worse: only the difference between solutions that pass, on tasks solved in
both conditions, is free of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from pytest_coderobust.metrics.condition import ConditionSummary
from pytest_coderobust.metrics.interval import estimate
from pytest_coderobust.metrics.quality_groups import (
    count_category,
    estimate_ratio,
    group_by_task,
    map_by_task,
    measure_group,
    score,
)
from pytest_coderobust.metrics.quality_numbers import (
    ConditionQuality,
    QualityChange,
    QualityPair,
    QualitySummary,
    SolutionQuality,
)
from pytest_coderobust.metrics.quality_taxonomy import CATEGORIES


def summarise_quality(
    solutions: Sequence[SolutionQuality],
    conditions: Sequence[ConditionSummary],
    *,
    tool: str,
    version: str,
    paper: bool,
    left_out: int = 0,
) -> QualitySummary:
    """Summarises the solutions of a run by its conditions."""
    clean = [each for each in solutions if each.cell.is_clean]
    found: list[ConditionQuality] = []
    for condition in conditions:
        if condition.kind == "clean":
            found.append(_summarise_condition(condition, clean, None, tool))
        else:
            own = [each for each in solutions if each.cell.perturbation in condition.members]
            pair = _pair(_take_passing(clean), _take_passing(own), tool)
            found.append(_summarise_condition(condition, own, pair, tool))
    return QualitySummary(tool, version, paper, tuple(found), left_out)


def _summarise_condition(
    condition: ConditionSummary,
    solutions: Sequence[SolutionQuality],
    pair: QualityPair | None,
    tool: str,
) -> ConditionQuality:
    judged = [each for each in solutions if each.trouble != "unjudged"]
    parsing = [each for each in judged if not each.trouble]
    shares = [fmean(each.trouble == "syntax" for each in own) for own in group_by_task(judged)]
    return ConditionQuality(
        name=condition.name,
        kind=condition.kind,
        members=condition.members,
        judged=len(judged),
        syntax=len(judged) - len(parsing),
        unjudged=len(solutions) - len(judged),
        syntax_share=estimate(shares, len(judged)),
        parsing=measure_group(parsing, tool),
        passing=measure_group(_take_passing(parsing), tool),
        paired=pair,
    )


def _take_passing(solutions: Sequence[SolutionQuality]) -> list[SolutionQuality]:
    return [each for each in solutions if each.passed and not each.trouble]


def _pair(
    clean: Sequence[SolutionQuality], perturbed: Sequence[SolutionQuality], tool: str
) -> QualityPair:
    """Pairs passing solutions by task; each task that has both counts once."""
    before, after = map_by_task(clean), map_by_task(perturbed)
    both = sorted(before.keys() & after.keys())
    changes: list[QualityChange] = []
    for measure in (*CATEGORIES[tool], *(("score",) if tool == "pylint" else ())):
        pairs = [
            (old, new)
            for task in both
            if (old := _measure_task(before[task], tool, measure)) is not None
            and (new := _measure_task(after[task], tool, measure)) is not None
        ]
        change = estimate_ratio([new - old for old, new in pairs], [1] * len(pairs))
        if change is not None:
            old, new = fmean(p[0] for p in pairs), fmean(p[1] for p in pairs)
            changes.append(QualityChange(measure, old, new, change))
    return QualityPair(len(both), tuple(changes))


def _measure_task(own: Sequence[SolutionQuality], tool: str, measure: str) -> float | None:
    if measure == "score":
        scores = [value for each in own if (value := score(each, tool)) is not None]
        return fmean(scores) if scores else None
    lines = sum(each.lines for each in own)
    found = sum(count_category(each, tool, measure) for each in own)
    return 100.0 * found / lines if lines else None
