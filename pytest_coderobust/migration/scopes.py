"""Scopes of a Python program: the scope that each name belongs to, as the language has it.

A name that a function binds is the function's, unless it says `global` or `nonlocal`. A class body
is invisible to the functions inside it. A comprehension is a function whose first iterable belongs
outside, and a walrus inside it binds outside. What no scope binds is a builtin.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from pytest_coderobust.migration.library import list_star_names

ScopeKind = Literal["module", "function", "class", "comprehension"]
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Routine = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(eq=False, slots=True)
class Scope:
    """One scope, while a program is read.

    Attributes:
        bindings: for each name that it binds, the nodes that do.
        globals, nonlocals: names that it declares to be another scope's.
        outer: names that it binds in a function around it.
    """

    kind: ScopeKind
    parent: Scope | None = None
    bindings: dict[str, list[ast.AST]] = field(default_factory=dict[str, list[ast.AST]])
    globals: set[str] = field(default_factory=set[str])
    nonlocals: set[str] = field(default_factory=set[str])
    outer: list[tuple[str, ast.AST]] = field(default_factory=list[tuple[str, ast.AST]])

    @property
    def module(self) -> Scope:
        """The outermost scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def bind(self, name: str, node: ast.AST) -> None:
        """Notes that a node binds a name, here or where `global` and `nonlocal` say."""
        if name in self.nonlocals:
            self.outer.append((name, node))
            return
        owner = self.module if name in self.globals else self
        owner.bindings.setdefault(name, []).append(node)

    def find(self, name: str) -> Scope | None:
        """Finds the scope that a name belongs to when it is used here; None for a builtin."""
        scope: Scope | None = self
        while scope is not None:
            if scope is self or scope.kind != "class":
                if name in scope.globals:
                    return self.module if name in self.module.bindings else None
                if name in scope.bindings:
                    return scope
            scope = scope.parent
        return None


@dataclass(frozen=True, slots=True)
class Place:
    """A name or an import in a program.

    Attributes:
        scope: the scope where it stands.
        aside: it stands in a decorator or an annotation.
    """

    scope: Scope
    aside: bool


class ScopeReader(ast.NodeVisitor):
    """Reads the scopes of a program.

    Attributes:
        places: each name and import, in the order of the source.
    """

    def __init__(self) -> None:
        self.module = self._scope = Scope("module")
        self.places: dict[ast.Name | ast.Import | ast.ImportFrom, Place] = {}
        self._scopes = [self.module]
        self._aside = False

    def settle(self) -> None:
        """Binds what functions bind in functions around them, when all of these are known."""
        for scope in self._scopes:
            for name, node in scope.outer:
                owner = scope.find(name)
                if owner is not None:
                    owner.bindings[name].append(node)

    def _visit_all(self, nodes: list[ast.expr] | list[ast.stmt] | list[ast.keyword]) -> None:
        for node in nodes:
            self.visit(node)

    def _visit_aside(self, nodes: list[ast.expr]) -> None:
        before, self._aside = self._aside, True
        self._visit_all(nodes)
        self._aside = before

    def visit_Name(self, node: ast.Name) -> None:
        self.places[node] = Place(self._scope, self._aside)
        if not isinstance(node.ctx, ast.Load):
            self._scope.bind(node.id, node)

    def visit_Import(self, node: ast.Import) -> None:
        self.places[node] = Place(self._scope, self._aside)
        for alias in node.names:
            self._scope.bind(alias.asname or alias.name.partition(".")[0], alias)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.places[node] = Place(self._scope, self._aside)
        for alias in node.names:
            names = list_star_names(node.module or "") if alias.name == "*" else ()
            for name in names or (alias.asname or alias.name,):
                self._scope.bind(name, alias)

    def visit_Global(self, node: ast.Global) -> None:
        self._scope.globals.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self._scope.nonlocals.update(node.names)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._scope.bind(node.name, node)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        if node.name:
            self._scope.bind(node.name, node)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name:
            self._scope.bind(node.name, node)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self._scope.bind(node.rest, node)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        inner = self._scope
        while self._scope.kind == "comprehension" and self._scope.parent is not None:
            self._scope = self._scope.parent
        self.visit(node.target)
        self._scope = inner

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._visit_aside(node.decorator_list)
        self._visit_all(node.bases)
        self._visit_all(node.keywords)
        self._scope.bind(node.name, node)
        self._enter(Scope("class", self._scope), node.body)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_routine(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_routine(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_routine(node)

    def _visit_routine(self, node: Routine) -> None:
        self._visit_all([*node.args.defaults, *filter(None, node.args.kw_defaults)])
        scope = Scope("function", self._scope)
        arguments = list(_list_arguments(node.args))
        for argument in arguments:
            scope.bind(argument.arg, argument)
        if isinstance(node, ast.Lambda):
            self._enter(scope, [ast.Expr(node.body)])
            return
        self._visit_aside(node.decorator_list)
        self._visit_aside([each.annotation for each in arguments if each.annotation is not None])
        self._visit_aside([node.returns] if node.returns is not None else [])
        self._scope.bind(node.name, node)
        self._enter(scope, node.body)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._visit_aside([node.annotation])
        if node.value is not None:
            self.visit(node.value)
        self.visit(node.target)

    def _enter(self, scope: Scope, body: list[ast.stmt]) -> None:
        outer, self._scope = self._scope, scope
        self._scopes.append(scope)
        _declare(scope, body)
        self._visit_all(body)
        self._scope = outer

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._visit_comprehension(node, [node.elt])

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._visit_comprehension(node, [node.elt])

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._visit_comprehension(node, [node.elt])

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._visit_comprehension(node, [node.key, node.value])

    def _visit_comprehension(self, node: Comprehension, results: list[ast.expr]) -> None:
        first, *others = node.generators
        self.visit(first.iter)
        outer, self._scope = self._scope, Scope("comprehension", self._scope)
        self.visit(first.target)
        self._visit_all(first.ifs)
        for other in others:
            self.generic_visit(other)
        self._visit_all(results)
        self._scope = outer


def _list_arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (each for each in (arguments.vararg, arguments.kwarg) if each is not None)


def _declare(scope: Scope, body: list[ast.stmt]) -> None:
    """Reads the `global` and `nonlocal` of a body, which hold for all of it."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Global):
            scope.globals.update(node.names)
        elif isinstance(node, ast.Nonlocal):
            scope.nonlocals.update(node.names)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.stmt):
                    waiting.append(child)
                elif isinstance(child, (ast.ExceptHandler, ast.match_case)):
                    waiting += child.body


def read_scopes(tree: ast.Module) -> ScopeReader:
    """Reads every scope of a program."""
    reader = ScopeReader()
    reader.visit(tree)
    reader.settle()
    return reader
