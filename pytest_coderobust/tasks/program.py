"""What a trusted program binds and uses at its top level; parsing only, nothing is run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Sequence

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def parse(source: str) -> ast.Module | None:
    """The module's syntax tree, or None where the source is no Python."""
    with warnings.catch_warnings():
        # "\d" in a foreign docstring is the author's business
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return None


def parse_prompt(prompt: str) -> ast.Module | None:
    """The tree of a prompt that may end before the body of its last function."""
    for ending in ("", "\n    pass\n", "\n\tpass\n"):
        tree = parse(prompt + ending)
        if tree is not None:
            return tree
    return None


def definition(tree: ast.Module, name: str) -> Definition | None:
    """The last top-level function or class of that name: the one that counts when run."""
    found = None
    for statement in tree.body:
        if isinstance(statement, Definition) and statement.name == name:
            found = statement
    return found


def functions(tree: ast.Module) -> dict[str, FunctionNode]:
    """The top-level functions by name, in order; of two with one name the last."""
    return {s.name: s for s in tree.body if isinstance(s, FunctionNode)}


def first_line(statement: ast.stmt) -> int:
    """The 1-based line where a statement starts, its decorators included."""
    if not isinstance(statement, Definition):
        return statement.lineno
    return min([statement.lineno, *(d.lineno for d in statement.decorator_list)])


def bound(statements: Iterable[ast.stmt]) -> dict[str, ast.stmt]:
    """Every name that top-level statements bind, with the statement that does it last."""
    return {name: statement for statement in statements for name in _names_bound(statement)}


def imports(statement: ast.stmt) -> bool:
    """Whether a top-level statement imports, be it inside a `try`."""
    return not isinstance(statement, Definition) and any(
        isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(statement)
    )


def used(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Every name that is read anywhere below the nodes."""
    return frozenset(
        node.id
        for root in nodes
        for node in ast.walk(root)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )


def needed(statements: Sequence[ast.stmt], names: Iterable[str]) -> frozenset[ast.stmt]:
    """The statements that bind the names, and those that they need in turn."""
    binders = bound(statements)
    found: set[ast.stmt] = set()
    wanted = list(names)
    while wanted:
        binder = binders.get(wanted.pop())
        if binder is not None and binder not in found:
            found.add(binder)
            wanted.extend(used([binder]))
    return frozenset(found)


def source_of(code: str, statement: ast.stmt) -> str:
    """The source of a top-level statement, decorators included."""
    if isinstance(statement, Definition):
        lines = code.split("\n")
        return "\n".join(lines[first_line(statement) - 1 : statement.end_lineno])
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
