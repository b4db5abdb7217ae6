"""Libraries whose values the wire has words for, and the modules that know those words."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from types import CodeType, ModuleType

from pytest_coderobust.sandbox.cage.vocabulary import Vocabulary

LIBRARIES = ("numpy", "pandas")
"""Each after those that its words are made of."""
PACKAGE = "pytest_coderobust.sandbox.cage"
MODULES = {"numpy": ("random_seed", "arrays"), "pandas": ("columns", "tables")}
"""By library, in the order of import; the last one has the vocabulary."""
ModuleCode = Mapping[str, CodeType]
"""The code of modules by name, from before their files were out of sight."""


def read_code(libraries: Iterable[str]) -> ModuleCode:
    """Reads the code of the modules of libraries, without running it."""
    found: dict[str, CodeType] = {}
    for library in libraries:
        for name in MODULES[library]:
            full = f"{PACKAGE}.{name}"
            spec = find_spec(full)
            code = spec.loader.get_code(full) if spec is not None else None  # type: ignore[union-attr]
            assert isinstance(code, CodeType)
            found[full] = code
    return found


def find_vocabularies(libraries: Iterable[str], code: ModuleCode | None = None) -> list[Vocabulary]:
    """Finds the vocabularies of libraries, and imports those libraries.

    Args:
        code: of the modules, where their files cannot be read any more.
    """
    names = set(libraries)
    found: list[Vocabulary] = []
    for library in LIBRARIES:
        if library in names:
            *before, last = [f"{PACKAGE}.{name}" for name in MODULES[library]]
            for name in before:
                load(name, code or {})
            found.append(load(last, code or {}).VOCABULARY)
    return found


def load(name: str, code: ModuleCode) -> ModuleType:
    """Imports a module, from its code where there is some."""
    if name in code and name not in sys.modules:
        module = sys.modules[name] = ModuleType(name)
        exec(code[name], module.__dict__)  # noqa: S102  our own
    return importlib.import_module(name)
