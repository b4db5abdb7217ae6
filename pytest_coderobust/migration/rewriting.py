"""Rewriting of programs for API changes, by spans: what is no use of a changed API stays as it is.

A rename, a move and changed arguments are rewritten exactly. What cannot be is left and listed:
uses of an API that has no successor, and functions that are handed on as values while their
arguments change.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_coderobust.migration.arguments import adapt_arguments
from pytest_coderobust.migration.imports import (
    NewImport,
    insert_import,
    is_imported,
    rewrite_import,
    split_name,
)
from pytest_coderobust.migration.spans import SourceBytes, SpanEdit
from pytest_coderobust.migration.uses import ProgramUses, Use, find_uses, list_bound
from pytest_coderobust.records import ApiChange
from pytest_coderobust.tasks.program import parse


@dataclass(frozen=True, slots=True)
class LeftUse:
    """A use that was left as it is, with the reason."""

    line: int
    api: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A rewritten program.

    Attributes:
        source: the whole program.
        changed: the number of uses that were rewritten.
        left: uses of changed APIs that were not.
    """

    source: str
    changed: int = 0
    left: tuple[LeftUse, ...] = ()


def rewrite(source: str, changes: Sequence[ApiChange], start: int = 0) -> Rewriting:
    """Rewrites a program for API changes.

    Args:
        start: the first character that may be changed; a prompt stands before it.

    Raises:
        ValueError: the source is not a valid Python program, or would be none afterwards.
    """
    tree = parse(source)
    if tree is None:
        raise ValueError("the source is not a valid Python program")
    usage = find_uses(tree)
    rewriter = ProgramRewriter(
        source, tree, usage, {change.old: change for change in changes}, start
    )
    found = rewriter.rewrite()
    if found.changed and parse(found.source) is None:
        raise ValueError("the rewritten source would not be a valid Python program")
    return found


class ProgramRewriter:
    """Rewrites one program."""

    def __init__(
        self,
        source: str,
        tree: ast.Module,
        usage: ProgramUses,
        changes: Mapping[str, ApiChange],
        start: int,
    ) -> None:
        self._text = source
        self._tree = tree
        self._source = SourceBytes(source)
        self._changes = changes
        self._uses = [use for use in usage.uses if use.api in changes]
        self._doubtful = [use for use in usage.doubtful if use.api in changes]
        self._bound = list_bound(usage.scopes)
        self._start = len(source[:start].encode("utf-8", "surrogatepass"))
        self._left: list[LeftUse] = []

    def rewrite(self) -> Rewriting:
        """Makes the new program."""
        edits: list[SpanEdit] = []
        done = 0
        imports: dict[ast.ImportFrom, dict[ast.alias, NewImport]] = {}
        for use in self._uses:
            change = self._changes[use.api]
            found = self._explain(use, change) or self._rewrite_use(use, change)
            if isinstance(found, str):
                self._left.append(LeftUse(use.lineno, use.api, found))
                continue
            edits += found
            done += 1
            if use.statement is not None and isinstance(use.node, ast.alias):
                new = NewImport(change, use.is_shared)
                imports.setdefault(use.statement, {})[use.node] = new
        edits += self._rewrite_imports(imports)
        for use in self._doubtful:
            assert isinstance(use.start, ast.Name)
            self._left.append(LeftUse(use.lineno, use.api, _explain_shared(use.start.id)))
        left = sorted(self._left, key=lambda each: each.line)
        return Rewriting(self._source.apply(edits), done, tuple(left))

    def _explain(self, use: Use, change: ApiChange) -> str:
        """The reason why a use cannot be rewritten, or ""."""
        if not change.new:
            return "it was removed, and nothing takes its place"
        if self._source.find_start(use.start) < self._start:
            return "it stands in the prompt"
        if change.kind and use.call is None and use.statement is None:
            return "it is handed on as a value, and takes its arguments in another way now"
        owner, last = split_name(change.new)
        if use.is_shared and isinstance(use.node, ast.alias) and (change.kind or not owner):
            return _explain_shared(use.node.asname or use.node.name)
        if self._is_bare(use, change) and last in self._bound:
            return f"the program has a name {last!r} of its own"
        top = owner.partition(".")[0]
        taken = self._needs_module(use, change) and top in self._bound
        if taken and not is_imported(use.place.scope, owner):
            return f"the program has a name {top!r} of its own"
        return ""

    def _is_bare(self, use: Use, change: ApiChange) -> bool:
        """Whether the new name would stand alone where nothing imports it under that name."""
        if use.statement is not None:
            return False
        owner = split_name(change.new)[0]
        if not owner:
            return True
        return use.is_star and owner == split_name(change.old)[0]

    def _needs_module(self, use: Use, change: ApiChange) -> bool:
        """Whether the new name is written with its module, where the old one was not or another."""
        owner = split_name(change.new)[0]
        if use.statement is not None or not owner or owner == split_name(change.old)[0]:
            return False
        return use.origin is None or use.is_star

    def _rewrite_use(self, use: Use, change: ApiChange) -> list[SpanEdit] | str:
        """Makes the edits of one use but for imports; a reason where there are none."""
        edits = list(self._rename(use, change))
        if change.kind and use.call is not None:
            arguments = adapt_arguments(self._source, use.call, change)
            if arguments is None:
                return "its arguments cannot be told apart"
            edits += arguments
        return edits

    def _rename(self, use: Use, change: ApiChange) -> Iterator[SpanEdit]:
        if isinstance(use.node, ast.alias):
            return
        start, end = self._source.find_start(use.start), self._source.find_end(use.node)
        owner, last = split_name(change.new)
        if not owner:
            yield SpanEdit(start, end, last.encode())
        elif self._needs_module(use, change):
            yield SpanEdit(start, end, change.new.encode())
            if not is_imported(use.place.scope, owner):
                yield insert_import(self._source, self._tree, owner, self._start)
        elif isinstance(use.node, ast.Attribute):
            yield SpanEdit(end - len(use.node.attr.encode()), end, last.encode())
        elif not use.is_aliased and (use.is_star or last not in self._bound):
            yield SpanEdit(start, end, last.encode())

    def _rewrite_imports(
        self, imports: Mapping[ast.ImportFrom, Mapping[ast.alias, NewImport]]
    ) -> Iterator[SpanEdit]:
        blocks = [
            block
            for node in ast.walk(self._tree)
            for name in ("body", "orelse", "finalbody")
            if isinstance(block := getattr(node, name, None), list)
        ]
        single = {id(block[0]) for block in blocks if len(block) == 1}
        for statement, changes in imports.items():
            alone = id(statement) in single
            yield from rewrite_import(self._source, statement, changes, self._bound, alone)


def _explain_shared(name: str) -> str:
    return f"the program binds {name!r} to something else too"
