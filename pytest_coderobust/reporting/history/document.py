"""The history of suites as a JSON document.

Keys: `format`; `suites`, each with `suite`, `k`, `margin` and `releases`, each with `label`, `run`,
`model`, `fingerprint`, `facts`, `edited`, `standing`, `complete`, `incomplete`, `differs`,
`metrics` (by condition, as in a session's document) and `change` (a comparison as there, or null).
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_coderobust.reporting.json.comparison import encode_comparison
from pytest_coderobust.reporting.json.document import dumps, encode_metrics
from pytest_coderobust.results.history import Release, SuiteHistory

FORMAT = "coderobust history, 1"


def render_document(histories: Sequence[SuiteHistory]) -> str:
    """Renders the document as text."""
    return dumps({"format": FORMAT, "suites": [encode_history(each) for each in histories]})


def encode_history(history: SuiteHistory) -> dict[str, object]:
    return {
        "suite": history.suite,
        "k": history.k,
        "margin": history.margin,
        "releases": [encode_release(each) for each in history.releases],
    }


def encode_release(release: Release) -> dict[str, object]:
    return {
        "label": release.label,
        "run": release.run,
        "model": release.model.name,
        "fingerprint": release.model.digest,
        "facts": dict(release.model.facts),
        "edited": list(release.edited),
        "standing": release.standing.word,
        "complete": not release.incomplete,
        "incomplete": release.incomplete,
        "differs": release.differs,
        "metrics": {
            name: encode_metrics(found, tuple(found.scores))
            for name, found in release.conditions.items()
        },
        "change": encode_comparison(release.change) if release.change else None,
    }
