"""Measures of a group of solutions: messages per 100 lines, pylint's score, the usual codes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import fsum
from statistics import median

from pytest_coderobust.metrics.bootstrap import draw_counts, take_middle
from pytest_coderobust.metrics.interval import CONFIDENCE
from pytest_coderobust.metrics.quality_numbers import (
    CodeCount,
    QualityFigure,
    QualityGroup,
    SolutionQuality,
)
from pytest_coderobust.metrics.quality_taxonomy import (
    CATEGORIES,
    PENALTY,
    TIERS,
    find_category,
    find_tier,
)

TOP = 10
"""Codes that are named."""

BEST = 10.0
"""Pylint's best score."""


def measure_group(solutions: Sequence[SolutionQuality], tool: str) -> QualityGroup:
    """Measures some solutions together; a syntax error has the score 0, as pylint gives it."""
    by_task = group_by_task(solutions)
    lines = [sum(each.lines for each in own) for own in by_task]
    rates: dict[str, QualityFigure | None] = {}
    for category in CATEGORIES[tool]:
        counts = [sum(count_category(each, tool, category) for each in own) for own in by_task]
        rates[category] = estimate_ratio([100.0 * count for count in counts], lines)
    scored = [[s for each in own if (s := score(each, tool)) is not None] for own in by_task]
    scores = [value for own in scored for value in own]
    codes = Counter(
        (remark.code, remark.name) for each in solutions for remark in each.remarks
    ).most_common()
    top = sorted(codes, key=lambda found: (-found[1], found[0]))[:TOP]
    return QualityGroup(
        solutions=len(solutions),
        lines=sum(lines),
        rates=rates,
        tiers=_measure_tiers(solutions, tool, sum(lines)),
        score=estimate_ratio([fsum(own) for own in scored], [len(own) for own in scored]),
        median_score=median(scores) if scores else None,
        top=tuple(CodeCount(code, name, count) for (code, name), count in top),
    )


def score(solution: SolutionQuality, tool: str) -> float | None:
    """Computes pylint's score of a file: 10 - 10 (5e + w + r + c) / statements, at least 0.

    Returns:
        None where no statement is counted, or the linter has no score.
    """
    if tool != "pylint" or solution.trouble == "unjudged":
        return None
    if solution.trouble == "syntax":
        return 0.0
    if not solution.statements:
        return None
    lost = sum(PENALTY.get(find_category(tool, each.code), 0) for each in solution.remarks)
    return max(0.0, BEST - BEST * lost / solution.statements)


def count_category(solution: SolutionQuality, tool: str, category: str) -> int:
    """Counts a category's messages; a syntax error is an error that hides the others."""
    if solution.trouble == "syntax":
        return int(category in ("error", "message"))
    return sum(find_category(tool, each.code) == category for each in solution.remarks)


def _measure_tiers(solutions: Sequence[SolutionQuality], tool: str, lines: int) -> dict[str, float]:
    """Measures messages per 100 lines by tier; nothing without lines."""
    if not lines or tool != "pylint":
        return {}
    counts: Counter[str] = Counter()
    for each in solutions:
        counts["error 1"] += each.trouble == "syntax"
        counts.update(find_tier(find_category(tool, r.code), r.code) for r in each.remarks)
    return {tier: 100.0 * counts[tier] / lines for tiers in TIERS.values() for tier in tiers}


def map_by_task(solutions: Sequence[SolutionQuality]) -> dict[str, list[SolutionQuality]]:
    found: dict[str, list[SolutionQuality]] = defaultdict(list)
    for each in solutions:
        found[each.task_id].append(each)
    return found


def group_by_task(solutions: Sequence[SolutionQuality]) -> list[list[SolutionQuality]]:
    return list(map_by_task(solutions).values())


def estimate_ratio(above: Sequence[float], below: Sequence[float]) -> QualityFigure | None:
    """Estimates sum / sum over tasks, which are redrawn; None where there is nothing below.

    Tasks are sorted first, so that equal values give equal bytes in any order.
    """
    import numpy as np

    rows = sorted((a, b) for a, b in zip(above, below, strict=True) if b)
    if not rows:
        return None
    table = np.array(rows, dtype=np.float64)
    value = fsum(a for a, _ in rows) / fsum(b for _, b in rows)
    if len(rows) == 1:
        return QualityFigure(value, None, None)
    sums = draw_counts(len(rows), 0) @ table
    low, high = take_middle(sums[:, 0] / sums[:, 1], CONFIDENCE)
    return QualityFigure(value, min(low, value), max(high, value))
