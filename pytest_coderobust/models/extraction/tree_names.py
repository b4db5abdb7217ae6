"""Names of a statement, and its nodes with effects, read from its syntax tree where that is plain.

Python's own symbol tables are exact, and a call of theirs for each statement is what extraction
from a long answer would mostly wait for. In a tree without classes, comprehensions, annotations and
declarations of scope the names are what they look like, so they are taken from a tree that is there
already. Time is linear in the statement.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any

from pytest_coderobust.models.extraction.blocks import BlockNames
from pytest_coderobust.models.extraction.effects import SPEAKING

_MOST = 500
"""Nodes of a scope above which its names are not read: Python refuses trees that are too deep."""

_DEEPEST = 8
"""Functions inside one another that are read."""

_LEAVES = frozenset({ast.Constant, ast.Pass, ast.Break, ast.Continue, type(None)})
"""Nodes without names, and the hole in a dict's keys."""

_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    ast.Attribute: ("value",),
    ast.Subscript: ("value", "slice"),
    ast.Call: ("func", "args", "keywords"),
    ast.keyword: ("value",),
    ast.BinOp: ("left", "right"),
    ast.UnaryOp: ("operand",),
    ast.BoolOp: ("values",),
    ast.Compare: ("left", "comparators"),
    ast.IfExp: ("test", "body", "orelse"),
    ast.Tuple: ("elts",),
    ast.List: ("elts",),
    ast.Set: ("elts",),
    ast.Dict: ("keys", "values"),
    ast.Starred: ("value",),
    ast.Slice: ("lower", "upper", "step"),
    ast.JoinedStr: ("values",),
    ast.FormattedValue: ("value", "format_spec"),
    ast.Expr: ("value",),
    ast.Assign: ("targets", "value"),
    ast.AugAssign: ("target", "value"),
    ast.Delete: ("targets",),
    ast.For: ("target", "iter", "body", "orelse"),
    ast.While: ("test", "body", "orelse"),
    ast.If: ("test", "body", "orelse"),
    ast.With: ("items", "body"),
    ast.withitem: ("context_expr", "optional_vars"),
    ast.Assert: ("test", "msg"),
    ast.Raise: ("exc", "cause"),
}
"""Fields of the nodes in which names mean what they look like."""

_TAKE = {kind: attrgetter(*fields) for kind, fields in _FIELDS.items()}

_SPECIAL = frozenset({"super", "__debug__"})
"""Names that bring others along, or that nothing may bind."""


@dataclass(frozen=True, slots=True)
class PlainTree:
    """A tree whose names are what they look like.

    Attributes:
        names: module-level names.
        speaking: the nodes that may have effects, from everywhere in it.
    """

    names: BlockNames
    speaking: Sequence[ast.AST]


def read_plain(statements: Iterable[ast.stmt]) -> PlainTree | None:
    """Reads statements in one pass; None where symbol tables must be asked for their names."""
    scope = _Scope([])
    if not scope.read(statements):
        return None
    needed = frozenset(scope.used | scope.free)
    names = BlockNames(frozenset(scope.bound), needed, frozenset(scope.used))
    return PlainTree(names, scope.speaking)


class _Scope:
    """A module's or a function's names.

    Args:
        speaking: gets the nodes that may have effects.
        parameters: those of the function; none for a module.
        depth: functions that it is in, with itself.
    """

    __slots__ = ("_depth", "bound", "free", "speaking", "used")

    def __init__(
        self, speaking: list[ast.AST], parameters: Sequence[str] = (), depth: int = 0
    ) -> None:
        self.speaking = speaking
        self._depth = depth
        self.bound = set(parameters)
        self.used: set[str] = set()
        self.free: set[str] = set()
        """Names that the functions in it look up, and do not bind."""

    def read(self, nodes: Iterable[ast.AST]) -> bool:
        """Reads the names in trees; says whether all of them are plain."""
        used, bound, parts_of, speaks = self.used, self.bound, _TAKE, self.speaking.append
        waiting: list[Any] = [*nodes]
        count = 0
        while waiting and count <= _MOST:
            node = waiting.pop()
            kind = type(node)
            count += 1
            if kind is ast.Name:
                (used if type(node.ctx) is ast.Load else bound).add(node.id)
            elif kind in parts_of:
                if kind in SPEAKING:
                    speaks(node)
                parts = parts_of[kind](node)
                for value in parts if type(parts) is tuple else (parts,):
                    if type(value) is list:
                        waiting += value
                    else:
                        waiting.append(value)
            elif kind not in _LEAVES:
                inner = self._enter(node)
                if inner is None:
                    return False
                waiting += inner
        return count <= _MOST and _SPECIAL.isdisjoint(used) and _SPECIAL.isdisjoint(bound)

    def _enter(self, node: ast.AST | None) -> Sequence[ast.AST | None] | None:
        """Reads a node that is more than its parts, and lists the rest; None for one unplain."""
        if isinstance(node, ast.Return):
            return (node.value,) if self._depth else None
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return self._import(node)
        if isinstance(node, ast.Lambda):
            return self._enter_function(node.args, [node.body])
        if isinstance(node, ast.FunctionDef) and not (
            node.returns or getattr(node, "type_params", None)
        ):
            self.bound.add(node.name)
            self.speaking.append(node)
            outside = self._enter_function(node.args, node.body)
            return None if outside is None else [*node.decorator_list, *outside]
        return None

    def _import(self, node: ast.Import | ast.ImportFrom) -> Sequence[ast.AST] | None:
        named = [alias.asname or alias.name.partition(".")[0] for alias in node.names]
        self.bound.update(named)
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        return None if future or "*" in named else ()

    def _enter_function(
        self, arguments: ast.arguments, body: Sequence[ast.AST]
    ) -> Sequence[ast.AST | None] | None:
        """Reads a function inside, and lists what is computed where it is defined."""
        names = [*_list_parameters(arguments)]
        inner = _Scope(self.speaking, names, self._depth + 1)
        if len(inner.bound) < len(names) or "" in inner.bound or self._depth == _DEEPEST:
            return None
        if not inner.read(body):
            return None
        self.free |= (inner.used | inner.free) - inner.bound
        return [*arguments.defaults, *arguments.kw_defaults]


def _list_parameters(arguments: ast.arguments) -> Iterator[str]:
    """Lists the names of parameters; "" for one with an annotation."""
    more = (each for each in (arguments.vararg, arguments.kwarg) if each is not None)
    for each in chain(arguments.posonlyargs, arguments.args, arguments.kwonlyargs, more):
        yield each.arg if each.annotation is None else ""
