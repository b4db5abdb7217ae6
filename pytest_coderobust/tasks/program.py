"""Names that a trusted program binds and uses at its top level; it is parsed and never run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Sequence

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def parse(source: str) -> ast.Module | None:
    """Parses a module; None where the source is not valid Python."""
    with warnings.catch_warnings():
        # "\d" in a foreign docstring is the author's business
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return None


def parse_prompt(prompt: str) -> ast.Module | None:
    """Parses a prompt that may end before the body of its last function."""
    for ending in ("", "\n    pass\n", "\n\tpass\n"):
        tree = parse(prompt + ending)
        if tree is not None:
            return tree
    return None


def find_definition(tree: ast.Module, name: str) -> Definition | None:
    """Finds the last top-level function or class of that name: the one that counts when run."""
    found = None
    for statement in tree.body:
        if isinstance(statement, Definition) and statement.name == name:
            found = statement
    return found


def find_functions(tree: ast.Module) -> dict[str, FunctionNode]:
    """Finds the top-level functions by name, in order; of two with one name the last."""
    return {s.name: s for s in tree.body if isinstance(s, FunctionNode)}


def find_first_line(statement: ast.stmt) -> int:
    """Finds the 1-based line where a statement starts, its decorators included."""
    if not isinstance(statement, Definition):
        return statement.lineno
    return min([statement.lineno, *(d.lineno for d in statement.decorator_list)])


def find_bindings(statements: Iterable[ast.stmt]) -> dict[str, ast.stmt]:
    """Finds the names that top-level statements bind, each with the last statement that does."""
    return {name: statement for statement in statements for name in _names_bound(statement)}


def is_import(statement: ast.stmt) -> bool:
    """Tells whether a top-level statement imports, inside a `try` too."""
    return not isinstance(statement, Definition) and any(
        isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(statement)
    )


def find_used_names(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Finds every name that is read anywhere below the nodes."""
    return frozenset(
        node.id
        for root in nodes
        for node in ast.walk(root)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )


def find_needed(statements: Sequence[ast.stmt], names: Iterable[str]) -> frozenset[ast.stmt]:
    """Finds the statements that bind the names, and those that they need in turn."""
    binders = find_bindings(statements)
    found: set[ast.stmt] = set()
    wanted = list(names)
    while wanted:
        binder = binders.get(wanted.pop())
        if binder is not None and binder not in found:
            found.add(binder)
            wanted.extend(find_used_names([binder]))
    return frozenset(found)


def cut_source(code: str, statement: ast.stmt) -> str:
    """Cuts out the source of a top-level statement, decorators included."""
    if isinstance(statement, Definition):
        lines = code.split("\n")
        return "\n".join(lines[find_first_line(statement) - 1 : statement.end_lineno])
    return ast.get_source_segment(code, statement) or ""


def _names_bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, Definition):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Import):
            yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
