"""A seed for the generator behind `numpy.random`'s functions, loaded or not.

NumPy loads that module when it is first used, and it brings a good part of OpenSSL: each fork would
pay for it, used or not. So the fork server leaves it out, and whoever loads it finds it seeded.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

NAME = "numpy.random"
SEEDS = 1 << 32


class SeedOnImport:
    """A finder of one module, which seeds it when it is imported.

    Attributes:
        number: the seed.
    """

    def __init__(self) -> None:
        self.number = 0

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Finds the module as Python would, with a loader that goes on to seed it."""
        if name != NAME:
            return None
        found = PathFinder.find_spec(name, path, target)
        if found is None or found.loader is None:
            return found
        load = found.loader.exec_module

        def load_and_seed(module: ModuleType) -> None:
            load(module)
            module.seed(self.number)

        found.loader.exec_module = load_and_seed  # type: ignore[method-assign]
        return found


_finder = SeedOnImport()


def seed(number: int) -> None:
    """Seeds the generator, now or as soon as it is there."""
    _finder.number = number % SEEDS
    if (loaded := sys.modules.get(NAME)) is not None:
        loaded.seed(_finder.number)
    elif _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
