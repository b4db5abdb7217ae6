"""Imports of a program, rewritten for APIs that have another name or another module now."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_coderobust.migration.scopes import Scope
from pytest_coderobust.migration.spans import SourceBytes, SpanEdit
from pytest_coderobust.records import ApiChange
from pytest_coderobust.tasks.program import find_first_line


@dataclass(frozen=True, slots=True)
class NewImport:
    """The change of an imported API; `keeps_name` where the program needs the name as it is."""

    change: ApiChange
    keeps_name: bool = False


def split_name(name: str) -> tuple[str, str]:
    """Splits a full name into its module ("" for a builtin) and its last part."""
    owner, _, last = name.rpartition(".")
    return owner, last


def rewrite_import(
    source: SourceBytes,
    statement: ast.ImportFrom,
    changes: Mapping[ast.alias, NewImport],
    kept_names: frozenset[str],
    alone: bool,
) -> Iterator[SpanEdit]:
    """Makes the edits of one import statement.

    Args:
        changes: those of its aliases whose API has changed.
        kept_names: names that the program binds itself; an API that is called like one of them
            keeps the name that the program knows it by.
        alone: the statement is the only one of its block, which must not become empty.
    """
    stay = [
        alias
        for alias in statement.names
        if alias not in changes or split_name(changes[alias].change.new)[0] == statement.module
    ]
    gone = [alias for alias in statement.names if alias not in stay]
    if not gone:
        for alias, new in changes.items():
            start = source.find_start(alias)
            text = _write_alias(alias, new, kept_names)
            yield SpanEdit(start, source.find_end(alias), text.encode())
        return
    lines = [
        f"from {owner} import {_write_alias(alias, changes[alias], kept_names)}"
        for alias in gone
        if (owner := split_name(changes[alias].change.new)[0])
    ]
    if stay:
        names = ", ".join(_write_any(alias, changes.get(alias), kept_names) for alias in stay)
        lines.append(f"from {statement.module} import {names}")
    start, end = source.find_start(statement), source.find_end(statement)
    if lines:
        yield SpanEdit(start, end, _join(lines, source.read_indent(start)))
    elif alone:
        yield SpanEdit(start, end, b"pass")
    else:
        yield _delete(source, start, end)


def _write_any(alias: ast.alias, new: NewImport | None, kept_names: frozenset[str]) -> str:
    if new is not None:
        return _write_alias(alias, new, kept_names)
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name


def _write_alias(alias: ast.alias, new: NewImport, kept_names: frozenset[str]) -> str:
    """Writes the new name, under the name that the program uses."""
    last = split_name(new.change.new)[1]
    keeps = (new.keeps_name or last in kept_names) and last != alias.name
    asname = alias.asname or (alias.name if keeps else None)
    return f"{last} as {asname}" if asname else last


def _join(lines: Sequence[str], indent: bytes | None) -> bytes:
    """Joins statements: one a line, or after semicolons where more stands in the line."""
    between = b"; " if indent is None else b"\n" + indent
    return between.join(line.encode() for line in lines)


def _delete(source: SourceBytes, start: int, end: int) -> SpanEdit:
    """Deletes a statement, with its line where nothing else stands in it."""
    line_end = source.find_line(end)[1]
    rest = source.data[end:line_end].strip()
    indent = source.read_indent(start)
    if indent is None or rest:
        return SpanEdit(start, end, b"pass")
    after = source.data[line_end : line_end + 2]
    newline = 2 if after == b"\r\n" else min(1, len(after))
    return SpanEdit(start - len(indent), line_end + newline)


def insert_import(source: SourceBytes, tree: ast.Module, module: str, start: int) -> SpanEdit:
    """Makes the edit that imports a module, as early as it may stand.

    Args:
        start: the first offset that may be changed; a prompt stands before it.
    """
    for statement in _list_statements(tree):
        at = source.find_start(statement)
        if at >= start and not _leads(statement):
            indent = source.read_indent(at)
            return SpanEdit(at, at, _join([f"import {module}", ""], indent))
    end = len(source.data)
    return SpanEdit(end, end, f"\nimport {module}\n".encode())


def _list_statements(tree: ast.Module) -> list[ast.stmt]:
    """Lists the statements of a program by their place, of functions and classes too."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    return sorted(found, key=lambda node: (find_first_line(node), node.col_offset))


def _leads(statement: ast.stmt) -> bool:
    """Whether a statement must stay before any import: a docstring, a `__future__` import."""
    if isinstance(statement, ast.ImportFrom):
        return statement.module == "__future__"
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def is_imported(scope: Scope, module: str) -> bool:
    """Whether a name in this scope is a module that `import MODULE` binds."""
    top = module.partition(".")[0]
    owner = scope.find(top)
    return owner is not None and all(
        isinstance(node, ast.alias) and node.asname is None and node.name.partition(".")[0] == top
        for node in owner.bindings[top]
    )
