"""Members of a class that a method of it needs, by the names of attributes."""

from __future__ import annotations

import ast
import copy

from pytest_coderobust.harvest.functions import HarvestFunction, find_first_line

ALWAYS_KEPT = frozenset({"__init__", "__new__", "__slots__", "__eq__", "__hash__"})


def reduce_class(node: ast.stmt, function: HarvestFunction, *, needed: bool) -> ast.stmt:
    """Takes a method out of its class, and members that it does not need; others stay as they are.

    Args:
        needed: only members that the method needs are kept, else all others.
    """
    if not (isinstance(node, ast.ClassDef) and node.name == function.owner):
        return node
    others = [each for each in node.body if each is not function.node]
    kept = _find_needed(others, function.node, _list_demanded(node)) if needed else others
    made = copy.copy(node)
    made.body = kept or [ast.Pass()]  # a class without members has to be written all the same
    return made


def find_gaps(reduced: ast.ClassDef, whole: ast.Module) -> list[tuple[int, int]]:
    """Finds the first and last lines of the members that a reduced class lacks, in order."""
    classes = [each for each in whole.body if isinstance(each, ast.ClassDef)]
    full = next(each for each in classes if each.lineno == reduced.lineno)
    left = [each for each in full.body if each not in reduced.body]
    return [(find_first_line(each), each.end_lineno or each.lineno) for each in left]


def _list_demanded(node: ast.ClassDef) -> set[str]:
    """The members that a base class may demand: those with marks around them, and properties."""
    if not node.bases:
        return set()
    decorated = [each for each in node.body if getattr(each, "decorator_list", ())]
    bound = {name for each in node.body for name in _list_bound(each) if name.startswith("__")}
    return bound.union(*map(_list_bound, decorated))


def _find_needed(
    members: list[ast.stmt], method: ast.FunctionDef, demanded: set[str]
) -> list[ast.stmt]:
    """The members that a method uses, those that are demanded, and those that these use."""
    wanted, seen = {*ALWAYS_KEPT, *demanded, *_list_names(method)}, set[str]()
    found: set[int] = set()
    while wanted - seen:
        new = wanted - seen
        seen |= new
        for at, each in enumerate(members):
            if at not in found and _list_bound(each) & new:
                found.add(at)
                wanted |= _list_names(each)
    return [each for at, each in enumerate(members) if at in found or _is_text(each)]


def _list_names(node: ast.AST) -> set[str]:
    attributes = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
    return attributes | {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _list_bound(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    stored = (each for each in ast.walk(node) if isinstance(each, ast.Name))
    return {each.id for each in stored if isinstance(each.ctx, ast.Store)}


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
