"""Former path of `pytest_coderobust.editors.edited_model`; answers for one release."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    return getattr(import_module("pytest_coderobust.editors.edited_model"), name)
