"""The adoption of API changes in the JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from pytest_coderobust.metrics.summary import Summary
from pytest_coderobust.records import ApiChange


def encode_adoption(changes: Sequence[ApiChange], summary: Summary) -> dict[str, object]:
    """Encodes the API changes, the counts of their adoption by condition, and eligible tasks."""
    found: dict[str, object] = {
        "changes": [encode_api_change(change) for change in changes],
        "conditions": {
            counts.condition: {
                "correct": counts.correct,
                "incorrect": counts.incorrect,
                "workaround": counts.workaround,
                "none": counts.none,
                "stale": counts.stale,
                **({"stages": asdict(counts.stages)} if counts.stages else {}),
            }
            for counts in summary.adoption
        },
    }
    if summary.eligible is not None:
        found["eligible"] = asdict(summary.eligible)
    return found


def encode_api_change(change: ApiChange) -> dict[str, object]:
    """Encodes an API change; its kind and parameters only where it has any."""
    found: dict[str, object] = {"old": change.old, "new": change.new or None}
    if change.kind:
        found |= {"kind": change.kind, "parameters": list(change.parameters)}
    return found
