"""A top-level statement: the names it binds and needs, and what it does when it is loaded."""

from __future__ import annotations

import ast
import re
from functools import cached_property

from pytest_coderobust.models.extraction.blocks import BlockNames, names_of
from pytest_coderobust.models.extraction.effects import (
    Effects,
    find_effects,
    is_idle,
    is_renaming,
    parse_statement,
)

INPUT = frozenset({"input", "raw_input", "stdin"})
"""Names by which a statement reads standard input."""

_DEFINITION = re.compile(r"(?:async[ \t]+def|def|class)\b|@")
_IMPORT = re.compile(r"(?:from|import)\b")
_NO_NAMES = BlockNames(frozenset(), frozenset(), frozenset())


class TopStatement:
    """One top-level statement; it is parsed, and its effects are found, when first asked for."""

    def __init__(self, source: str) -> None:
        self.source = source
        found = names_of(source)
        self.valid = found is not None
        self.names = found or _NO_NAMES
        self.defines = _DEFINITION.match(source) is not None
        self.imports = _IMPORT.match(source) is not None

    @cached_property
    def tree(self) -> tuple[ast.stmt, ...] | None:
        return parse_statement(self.source)

    @cached_property
    def idle(self) -> bool:
        """Whether it can serve no function, as what is not valid Python."""
        return self.tree is None or is_idle(self.tree)

    @cached_property
    def effects(self) -> Effects:
        return find_effects(self.tree or ())

    @cached_property
    def renames(self) -> bool:
        if self.defines or self.imports:
            return False
        return self.tree is not None and is_renaming(self.tree)

    @property
    def runs(self) -> bool:
        """Whether loading it does more than to define, import or rename."""
        return not (self.defines or self.imports or self.renames)

    @property
    def is_callable(self) -> bool:
        """Whether its effects come about where the names that it binds are called."""
        return self.defines or self.renames

    @property
    def reads(self) -> bool:
        return bool(self.names.needed & INPUT) or self.effects.reads
