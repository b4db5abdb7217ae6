"""Functions of a package that may become tasks, and the reasons why others cannot."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from pytest_coderobust.harvest.modules import SourceModule

CodePlace: TypeAlias = tuple[str, int]
"""File and first line of a function, as its code object has them."""
HarvestNode: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"


@dataclass(frozen=True, slots=True)
class HarvestFunction:
    """A function, or a method of a class, with a docstring and a body.

    Attributes:
        owner: the name of its class; "" for a function of the module.
    """

    module: SourceModule
    node: ast.FunctionDef
    owner: str = ""

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def qualname(self) -> str:
        """Its name in its module."""
        return f"{self.owner}.{self.name}" if self.owner else self.name

    @property
    def full_name(self) -> str:
        return f"{self.module.name}.{self.qualname}"

    @property
    def first_line(self) -> int:
        """The line of its first decorator, or of its `def`."""
        return find_first_line(self.node)

    @property
    def place(self) -> CodePlace:
        return str(self.module.path), self.first_line

    @property
    def body_lines(self) -> range:
        """The lines behind the docstring."""
        return range(self.node.body[1].lineno, (self.node.end_lineno or 0) + 1)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A function that becomes no task, and the reason."""

    name: str
    reason: str


def find_functions(
    modules: Iterable[SourceModule],
) -> tuple[list[HarvestFunction], list[LeftOut]]:
    """Finds the functions and methods of modules that have a docstring and a body of their own."""
    found: list[HarvestFunction] = []
    left_out: list[LeftOut] = []
    for module in modules:
        for node, owner in _list_nodes(module.tree):
            full = ".".join(filter(None, (module.name, owner, node.name)))
            if reason := _explain(node, owner):
                left_out.append(LeftOut(full, reason))
            else:
                assert isinstance(node, ast.FunctionDef)
                found.append(HarvestFunction(module, node, owner))
    return found, left_out


def find_first_line(node: ast.stmt) -> int:
    """The first line of a statement, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


def list_parameters(node: ast.FunctionDef) -> list[ast.arg]:
    """Lists the parameters that have a name each, in their order."""
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def _list_nodes(tree: ast.Module) -> Iterator[tuple[HarvestNode, str]]:
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node, ""
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    yield inner, node.name


def _explain(node: HarvestNode, owner: str) -> str:
    """The reason why a function cannot become a task whatever calls it gets, or ""."""
    if ast.get_docstring(node) is None:
        return "it has no docstring"
    if isinstance(node, ast.AsyncFunctionDef):
        return "it is asynchronous"
    if len(node.body) < 2:
        return "it has no body behind its docstring"
    if node.body[1].lineno <= (node.body[0].end_lineno or 0):
        return "its body begins in the line of its docstring"
    if _is_overload(node):
        return "it only declares a signature"
    return _explain_method(node) if owner else ""


def _explain_method(node: ast.FunctionDef) -> str:
    """The reason why a method cannot stand outside its class, or ""."""
    if node.decorator_list:
        return "it is a class method, a static method or a property"
    if not (node.args.posonlyargs or node.args.args):
        return "it is a method without an object"
    if node.name.startswith("__"):
        return "it is a method that the language calls"
    for each in ast.walk(node):
        name = str(getattr(each, "attr", None) or getattr(each, "id", ""))
        if name in ("super", "__class__"):
            return "it is a method that needs its place in its class (super)"
        if name.startswith("__") and not name.endswith("__"):
            return "it is a method that uses a private name of its class"
    return ""


def _is_overload(node: ast.FunctionDef) -> bool:
    return any(ast.unparse(each).endswith("overload") for each in node.decorator_list)
