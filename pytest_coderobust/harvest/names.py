"""Names that a statement of a module binds and uses, by the scopes of the language."""

from __future__ import annotations

import ast
import builtins
import symtable
from dataclasses import dataclass

ALWAYS = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}
"""Names that every module has."""


@dataclass(frozen=True, slots=True)
class StatementNames:
    """The names of one top-level statement.

    Attributes:
        bound: those that it gives the module.
        used: those that it, or a function in it, looks for in the module.
    """

    bound: frozenset[str]
    used: frozenset[str]


def find_statement_names(node: ast.stmt) -> StatementNames:
    """Finds the names that a top-level statement binds and uses."""
    table = symtable.symtable(ast.unparse(node), "<statement>", "exec")
    bound = {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
    }
    used = {each.get_name() for each in table.get_symbols() if each.is_referenced()}
    waiting = list(table.get_children())
    while waiting:
        inner = waiting.pop()
        waiting += inner.get_children()
        used |= {each.get_name() for each in inner.get_symbols() if each.is_global()}
    return StatementNames(frozenset(bound), frozenset(used))


def find_star_imports(tree: ast.Module) -> list[ast.ImportFrom]:
    """Finds the imports of all names of a module."""
    return [
        node for node in tree.body if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    ]
