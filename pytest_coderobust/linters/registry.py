"""The registry of linters: one row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_coderobust.linters.linter import Linter
from pytest_coderobust.linters.pylint import Pylint
from pytest_coderobust.linters.ruff import Ruff

LINTERS: Mapping[str, Callable[[], Linter]] = {"pylint": Pylint, "ruff": Ruff}
