"""The comparison with an earlier run, as the JSON document has it."""

from __future__ import annotations

from pytest_coderobust.metrics.comparison import RateChange, RunComparison
from pytest_coderobust.records import Square


def encode_comparison(comparison: RunComparison) -> dict[str, object]:
    """Encodes the verdict, every rate in both runs, and the items that changed sides."""
    return {
        "verdict": comparison.verdict,
        "margin": comparison.margin,
        "tasks": comparison.tasks,
        "changes": [encode_change(change) for change in comparison.changes],
        "fragile": [encode_square(square) for square in comparison.fragile],
        "fixed": [encode_square(square) for square in comparison.fixed],
        "unchanged": comparison.unchanged,
    }


def encode_change(change: RateChange) -> dict[str, object]:
    return {
        "condition": change.condition,
        "measure": change.measure,
        "tasks": change.tasks,
        "before": change.before,
        "after": change.after,
        "change": change.change,
        "interval": [change.low, change.high],
        "p": change.p,
        "method": change.method,
        "detectable": change.detectable,
        "decides": change.decides,
        "verdict": change.verdict,
    }


def encode_square(square: Square) -> dict[str, object]:
    task, cell = square
    return {"task": task, "condition": cell.perturbation, "seed": cell.seed}
