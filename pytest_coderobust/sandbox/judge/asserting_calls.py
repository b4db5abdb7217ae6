"""Calls in tests that assert as the statement does: those of numpy's and pandas' `testing`."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

_MODULE = "testing"
_PREFIX = "assert_"


@dataclass(frozen=True, slots=True)
class AssertingNames:
    """Names that a source gives to modules called `testing`, and to functions from them."""

    modules: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()


def find_asserting_names(trees: Iterable[ast.Module]) -> AssertingNames:
    """Finds the names that imports in any of the trees give to asserting functions."""
    modules: set[str] = set()
    functions: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            modules |= {a.asname for a in node.names if a.asname and _is_testing(a.name)}
        elif isinstance(node, ast.ImportFrom) and _is_testing(node.module or ""):
            names = (a for a in node.names if a.name.startswith(_PREFIX))
            functions |= {a.asname or a.name for a in names}
        elif isinstance(node, ast.ImportFrom):
            modules |= {a.asname or a.name for a in node.names if a.name == _MODULE}
    return AssertingNames(frozenset(modules), frozenset(functions))


def asserts(value: ast.expr, names: AssertingNames) -> bool:
    """Tells whether a value is a call of an asserting function: `np.testing.assert_equal(a, b)`."""
    if not isinstance(value, ast.Call):
        return False
    function = value.func
    if isinstance(function, ast.Name):
        return function.id in names.functions
    if not isinstance(function, ast.Attribute) or not function.attr.startswith(_PREFIX):
        return False
    owner = function.value
    if isinstance(owner, ast.Name):
        return owner.id in names.modules
    return isinstance(owner, ast.Attribute) and owner.attr == _MODULE


def _is_testing(module: str) -> bool:
    return "." in module and module.rpartition(".")[2] == _MODULE
