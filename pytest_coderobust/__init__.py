"""Robustness regression testing of code language models, as a pytest plugin.

What is exported here works without pytest; each name is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_coderobust.engine.samples import Sample as Sample
    from pytest_coderobust.engine.samples import check as check
    from pytest_coderobust.records import Level as Level
    from pytest_coderobust.records import Limits as Limits
    from pytest_coderobust.records import Tests as Tests
    from pytest_coderobust.records import Verdict as Verdict
    from pytest_coderobust.sandbox.check import Check as Check

__all__ = ["Check", "Level", "Limits", "Sample", "Tests", "Verdict", "check"]

_ROOMS = {
    "Check": "sandbox.check",
    "Sample": "engine.samples",
    "check": "engine.samples",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS.get(name, 'records')}"), name)
