"""Robustness regression testing of code language models, as a pytest plugin.

What is exported here works without pytest; each name is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_coderobust.engine.sample_rows import ForeignSample as ForeignSample
    from pytest_coderobust.engine.samples import check as check
    from pytest_coderobust.records import Level as Level
    from pytest_coderobust.records import Limits as Limits
    from pytest_coderobust.records import Tests as Tests
    from pytest_coderobust.records import Verdict as Verdict
    from pytest_coderobust.sandbox.check import Check as Check

__all__ = ["Check", "ForeignSample", "Level", "Limits", "Tests", "Verdict", "check"]

_ROOMS = {
    "Check": "sandbox.check",
    "ForeignSample": "engine.sample_rows",
    "check": "engine.samples",
}

_FORMER = {"Sample": "ForeignSample"}
"""Names of the first release, which answer for one more; docs/migrating.md lists them."""


def __getattr__(name: str) -> Any:
    current = _FORMER.get(name, name)
    if current not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS.get(current, 'records')}"), current)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
