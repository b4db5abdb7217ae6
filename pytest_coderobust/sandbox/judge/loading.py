"""What a solution's own loading says about it, before any test."""

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
    """The verdict on a solution that did not load, from its process's reply; None when it did."""
    stage = loaded.get("stage")
    if stage not in STAGES:
        return None
    level, failure = STAGES[stage]
    if "MemoryError" in loaded.get("kinds", ()):
        failure = "memory"
    return Verdict(level, 0, total, failure, _describe(loaded, check.entry_point))


def _describe(loaded: Any, entry_point: str) -> str:
    """The candidate's own words about why it did not load, as one line."""
    if loaded["stage"] == "missing":
        return f"the solution defines no function {entry_point!r}"
    kinds = loaded.get("kinds") or ["unknown"]
    return " ".join(f"{kinds[0]}: {loaded.get('text', '')}".split())[:200]
