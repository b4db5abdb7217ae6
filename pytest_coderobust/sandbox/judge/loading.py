"""Judges a solution by its loading, before any test."""

from __future__ import annotations

from typing import Any

from pytest_coderobust.records import FailureKind, Level, Verdict
from pytest_coderobust.sandbox.check import Check

STAGES: dict[str, tuple[Level, FailureKind]] = {
    "syntax": (Level.NONE, "syntax"),
    "load": (Level.COMPILE, "load-error"),
    "missing": (Level.LOAD, "missing-entry-point"),
}


def judge_loading(loaded: Any, check: Check, total: int) -> Verdict | None:
    """Returns a verdict on a solution that did not load, None on one that did."""
    stage = loaded.get("stage")
    if stage not in STAGES:
        return None
    level, failure = STAGES[stage]
    if "MemoryError" in loaded.get("kinds", ()):
        failure = "memory"
    return Verdict(level, 0, total, failure, _describe(loaded, check.entry_point))


def _describe(loaded: Any, entry_point: str) -> str:
    """Makes one line of the candidate's reason why it did not load."""
    if loaded["stage"] == "missing":
        return f"the solution defines no function {entry_point!r}"
    kinds = loaded.get("kinds") or ["unknown"]
    return " ".join(f"{kinds[0]}: {loaded.get('text', '')}".split())[:200]
