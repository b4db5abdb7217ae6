"""Python source as a tree and as characters at once: where its names and lines lie."""

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
    """Text that parses.

    Attributes:
        starts: the offset of each line.
    """

    text: str
    tree: ast.Module
    starts: tuple[int, ...]

    def offset(self, line: int, column: int) -> int:
        """The character offset of a place that `ast` gives as line and UTF-8 column."""
        start = self.starts[line - 1]
        end = self.starts[line] if line < len(self.starts) else len(self.text)
        return start + len(self.text[start:end].encode()[:column].decode())

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Where a node starts and stops."""
        stop = self.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)
        return self.offset(node.lineno, node.col_offset), stop

    def line_start(self, node: ast.stmt) -> int:
        return self.starts[node.lineno - 1]

    def opens_line(self, node: ast.stmt) -> bool:
        """Whether nothing but the indent stands before a statement on its line."""
        return not self.text[self.line_start(node) : self.span(node)[0]].strip()

    def function(self, name: str) -> SourceFunction | None:
        """The last top-level function of that name."""
        found = [node for node in self.tree.body if isinstance(node, SourceFunction)]
        return next((node for node in reversed(found) if node.name == name), None)


def parse(text: str) -> Source | None:
    """The source, or None when it is not Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    starts = (0, *(match.end() for match in re.finditer(r"\n", text)))
    return Source(text, tree, starts)


def name_edits(source: Source, within: ast.AST, old: str, new: str) -> Iterator[Edit]:
    """Edits that rename a name below a node: where it is read, bound, a parameter or defined."""
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
    """The place of a function's name; decorators stand before `def`, never between."""
    start = source.offset(node.lineno, node.col_offset)
    match = re.compile(r"(?:async\s+)?def\s+").match(source.text, start)
    return match.end() if match else start


def mention_edits(text: str, old: str, new: str) -> Iterator[Edit]:
    """Edits that rename a function where docstrings speak of it.

    A name that could be an English word ("median") counts only when called or introduced as a
    function; any other ("has_close_elements") counts wherever it stands.
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
