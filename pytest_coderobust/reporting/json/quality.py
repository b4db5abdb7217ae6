"""The quality of solutions, as the JSON document has it."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_coderobust.metrics.quality_numbers import (
    ConditionQuality,
    QualityFigure,
    QualityGroup,
    QualityPair,
    QualitySummary,
)


def encode_quality(quality: QualitySummary) -> dict[str, object]:
    """Encodes the linter, and the numbers of each condition."""
    return {
        "tool": quality.tool,
        "version": quality.version,
        "paper": quality.paper,
        "left_out": quality.left_out,
        "conditions": {each.name: encode_condition(each) for each in quality.conditions},
    }


def encode_condition(condition: ConditionQuality) -> dict[str, object]:
    share = condition.syntax_share
    return {
        "kind": condition.kind,
        "members": list(condition.members),
        "judged": condition.judged,
        "unjudged": condition.unjudged,
        "syntax_errors": condition.syntax,
        "syntax_share": share and {"value": share.value, "interval": [share.low, share.high]},
        "parsing": encode_group(condition.parsing),
        "passing": encode_group(condition.passing),
        "paired": encode_pair(condition.paired) if condition.paired else None,
    }


def encode_group(group: QualityGroup) -> dict[str, object]:
    """Encodes the numbers of some solutions; rates are per 100 lines."""
    rates: Mapping[str, QualityFigure | None] = group.rates
    return {
        "solutions": group.solutions,
        "lines": group.lines,
        "rates": {name: encode_figure(rate) for name, rate in rates.items()},
        "tiers": dict(group.tiers),
        "score": encode_figure(group.score),
        "median_score": group.median_score,
        "top": [{"code": t.code, "name": t.name, "count": t.count} for t in group.top],
    }


def encode_pair(pair: QualityPair) -> dict[str, object]:
    return {
        "tasks": pair.tasks,
        "changes": {
            each.measure: {
                "clean": each.clean,
                "perturbed": each.perturbed,
                "change": encode_figure(each.change),
            }
            for each in pair.changes
        },
    }


def encode_figure(figure: QualityFigure | None) -> dict[str, object] | None:
    """Encodes a figure; the interval is null where there is none."""
    if figure is None:
        return None
    interval = None if figure.low is None else [figure.low, figure.high]
    return {"value": figure.value, "interval": interval}
