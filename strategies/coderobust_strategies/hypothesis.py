"""Former path of `coderobust_strategies.hypothesis_strategies`; answers for one release."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    return getattr(import_module("coderobust_strategies.hypothesis_strategies"), name)
