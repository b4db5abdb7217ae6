"""Aliases of a function: the other public names under which loaded modules hand it out."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, cast

MOST = 100


def find_aliases(original: Any, name: str) -> list[str]:
    """Finds the full names of an object under other names than its own.

    Its own name is barred in every module anyway; another name needs a change of its own.
    """
    found: set[str] = set()
    loaded = cast("dict[str, object]", sys.modules)  # a module may put anything there
    for path, module in list(loaded.items()):
        if not isinstance(module, ModuleType) or path == "__main__":
            continue
        for other, value in list(ModuleType.__getattribute__(module, "__dict__").items()):
            if value is original and other.isidentifier() and other.lstrip("_") != name.lstrip("_"):
                found.add(f"{path}.{other}")
    return sorted(found)[:MOST]
