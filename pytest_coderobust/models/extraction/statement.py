"""A top-level statement: the names it binds and needs, and what it does when it is loaded.

Statements of a valid text are parsed together; of another, each alone, when it is first asked for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

from pytest_coderobust.models.extraction.blocks import BlockNames, names_of
from pytest_coderobust.models.extraction.effects import (
    Effects,
    find_effects,
    is_idle,
    is_renaming,
    list_speaking,
    parse_statement,
)
from pytest_coderobust.models.extraction.tree_names import read_plain

INPUT = frozenset({"input", "raw_input", "stdin"})
"""Names by which a statement reads standard input."""

_DEFINITION = re.compile(r"(?:async[ \t]+def|def|class)\b|@")
_IMPORT = re.compile(r"(?:from|import)\b")
_GROUP = 100
"""Blocks that are parsed together."""
_LONG = 4000
"""Characters from which a block is read alone: its names come faster than its tree."""
_MANY = 1000
"""Blocks of a text whose definitions are parsed again when their effects are asked for.

So many trees are slow to keep: the collector of garbage goes through them again and again.
"""
_NO_NAMES = BlockNames(frozenset(), frozenset(), frozenset())

Tree = tuple[ast.stmt, ...]


class TopStatement:
    """One top-level statement; its effects are found when first asked for.

    Args:
        tree: the statement parsed; None where it was not yet.
    """

    def __init__(self, source: str, tree: Tree | None = None) -> None:
        self.source = source
        self._tree, self._is_parsed = tree, tree is not None
        self._effects: Effects | None = None
        plain = read_plain(tree) if tree is not None else None
        self._speaking: Iterable[ast.AST] | None = plain.speaking if plain is not None else None
        found = plain.names if plain is not None else names_of(source)
        self.valid = found is not None
        self.names = found or _NO_NAMES
        self.defines = _DEFINITION.match(source) is not None
        self.imports = _IMPORT.match(source) is not None

    @property
    def tree(self) -> Tree | None:
        if not self._is_parsed:
            self._tree, self._is_parsed = parse_statement(self.source), True
        return self._tree

    def forget_definition(self) -> None:
        """Gives the tree of a definition back, whose effects are seldom asked for."""
        if self.defines:
            self._tree, self._is_parsed, self._speaking = None, False, None

    @property
    def idle(self) -> bool:
        """Whether it can serve no function, as what is not valid Python."""
        return self.tree is None or is_idle(self.tree)

    @property
    def effects(self) -> Effects:
        if self._effects is None:
            seen = self._speaking
            self._effects = find_effects(list_speaking(self.tree or ()) if seen is None else seen)
        return self._effects

    @property
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


def read_statements(blocks: Sequence[str]) -> list[TopStatement]:
    """Reads top-level statements, each with the comments behind it.

    Those of the same text are one: a model that does not end repeats itself.
    """
    different = dict.fromkeys(blocks)
    short = [block for block in different if len(block) < _LONG]
    found = {block: TopStatement(block) for block in different if len(block) >= _LONG}
    for begin in range(0, len(short), _GROUP):
        group = short[begin : begin + _GROUP]
        trees: Sequence[Tree | None] = _parse_together(group) or [None] * len(group)
        for block, tree in zip(group, trees, strict=True):
            found[block] = TopStatement(block, tree)
            if len(short) > _MANY:
                found[block].forget_definition()
    return [found[block] for block in blocks]


def _parse_together(blocks: Sequence[str]) -> list[Tree] | None:
    """Parses blocks as one text, and gives each its own; None where that is not each block alone.

    It is not where the text is not valid, or a statement goes on from one block into the next.
    """
    lines = [block if block.endswith("\n") else f"{block}\n" for block in blocks]
    text = "".join(lines)
    # Python ends a line at a return too, and a backslash would join a block to the next one.
    if len(blocks) < 2 or "\r" in text or any(line.endswith("\\\n") for line in lines):
        return None
    parsed = parse_statement(text)
    if parsed is None:
        return None
    trees: list[Tree] = []
    place, begin = 0, 1
    ends = [*map(_last_line, parsed), len(text) + 2]
    for line in lines:
        end, first = begin + line.count("\n"), place
        while ends[place] < end:
            place += 1
        tree = parsed[first:place]
        # The first of them alone can have begun in the block before.
        if tree and _first_line(tree[0]) < begin:
            return None
        trees.append(tree)
        begin = end
    return trees


def _last_line(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno


def _first_line(statement: ast.stmt) -> int:
    """Finds the line in which a statement begins, with its decorators."""
    decorators: Sequence[ast.expr] = getattr(statement, "decorator_list", ())
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])
