"""Python source as a syntax tree together with the character offsets of its names and lines."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from coderobust_strategies.edit import Edit
from coderobust_strategies.prompt.docstrings import regions

SourceFunction: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Source:
    """Python source that parses.

    Attributes:
        starts: the offset at which each line starts.
    """

    text: str
    tree: ast.Module
    starts: tuple[int, ...]

    def offset(self, line: int, column: int) -> int:
        """Converts a place that `ast` gives as line and UTF-8 column to a character offset."""
        start = self.starts[line - 1]
        end = self.starts[line] if line < len(self.starts) else len(self.text)
        return start + len(self.text[start:end].encode()[:column].decode())

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Returns the offsets at which a node starts and stops."""
        stop = self.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)
        return self.offset(node.lineno, node.col_offset), stop

    def line_start(self, node: ast.stmt) -> int:
        return self.starts[node.lineno - 1]

    def opens_line(self, node: ast.stmt) -> bool:
        """Says whether a statement is the first on its line."""
        return not self.text[self.line_start(node) : self.span(node)[0]].strip()

    def function(self, name: str) -> SourceFunction | None:
        """Finds the last top-level function of that name."""
        found = [node for node in self.tree.body if isinstance(node, SourceFunction)]
        return next((node for node in reversed(found) if node.name == name), None)


def parse(text: str) -> Source | None:
    """Parses source; None when it is not valid Python."""
    tree = parse_tree(text)
    if tree is None:
        return None
    starts = (0, *(match.end() for match in re.finditer(r"\n", text)))
    return Source(text, tree, starts)


def parse_tree(text: str) -> ast.Module | None:
    """Parses source to a syntax tree; None when it is not valid Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an unknown escape in a docstring is harmless
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def name_edits(source: Source, within: ast.AST, old: str, new: str) -> Iterator[Edit]:
    """Yields the edits that rename a name below a node: uses, bindings, parameters, definitions."""
    for node in ast.walk(within):
        if isinstance(node, SourceFunction) and node.name == old:
            start = _definition(source, node)
        elif (isinstance(node, ast.Name) and node.id == old) or (
            isinstance(node, ast.arg) and node.arg == old
        ):
            start = source.offset(node.lineno, node.col_offset)
        else:
            continue
        yield Edit(start, start + len(old), new, "rename")


def _definition(source: Source, node: SourceFunction) -> int:
    """Finds the offset of a function's name, which follows `def` or `async def`."""
    start = source.offset(node.lineno, node.col_offset)
    match = re.compile(r"(?:async\s+)?def\s+").match(source.text, start)
    return match.end() if match else start


def mention_edits(text: str, old: str, new: str) -> Iterator[Edit]:
    """Yields the edits that rename a function in docstrings.

    A name that could be an English word ("median") is renamed only where it is called, in
    backticks or after "function". Any other name ("has_close_elements") is renamed everywhere.
    """
    word = re.escape(old)
    plain = old.isalpha() and old.islower() and len(old) > 1
    before = r"(?<!\w)(?<!\.)"
    shape = rf"{before}{word}(?=\()|(?<=function ){word}(?!\w)|(?<=`){word}(?=`)"
    pattern = re.compile(shape if plain else rf"{before}{word}(?!\w)")
    for region in regions(text):
        if region.statement:
            for match in pattern.finditer(text, region.start, region.stop):
                yield Edit(match.start(), match.end(), new, "rename")
