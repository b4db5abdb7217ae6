"""Former module of `find_breaking_prompt`, which is in `pytest_coderobust.session.hunting` now.

The old import works for one more release. The function is imported by name when it is asked for,
because nothing else here may import `session`.
"""

from __future__ import annotations

import sys
from importlib import import_module

# The import of this package has put it where the function `pytest_coderobust.hunt` is looked up.
vars(sys.modules["pytest_coderobust"]).pop("hunt", None)


def __getattr__(name: str) -> object:
    if name != "find_breaking_prompt":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("pytest_coderobust.session.hunting"), name)
