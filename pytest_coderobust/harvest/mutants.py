"""Simple mutants of a function's body: one small change each, which good tests notice."""

from __future__ import annotations

import ast
import copy
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_coderobust.harvest.prompting import HarvestPrompt

MOST = 12
"""Mutants of one function that are judged; of more, every so many-th is."""
NEGATIONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE,
    ast.LtE: ast.Gt, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
EXCHANGES: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
_SPARED = (ast.Assert, ast.Raise, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)
"""Statements whose inside is not mutated: messages of errors are no behaviour that tests see."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed body.

    Attributes:
        completion: follows the prompt in the canonical solution's place.
        change: line of the prompt and the body together, and what became of it.
    """

    completion: str
    change: str


def make_mutants(prompt: HarvestPrompt, name: str, most: int = MOST) -> list[Mutant]:
    """Makes mutants of a canonical solution, each by one change at one place."""
    tree = ast.parse(prompt.prompt + prompt.canonical)
    function = next(
        node
        for node in reversed(tree.body)
        if isinstance(node, ast.FunctionDef) and node.name == name
    )
    start = ast.unparse(ast.Module(function.body[1:], []))
    found: dict[str, str] = {}
    for place in list(_walk(function.body[1:])):
        for number in range(len(list(_change(copy.deepcopy(place))))):
            body, changed = _mutate(function.body[1:], place, number)
            text = ast.unparse(ast.Module(body, []))
            if text != start and text not in found:
                found[text] = f"line {getattr(place, 'lineno', 0)}: {changed}"
    made = [Mutant(textwrap.indent(text, "    ") + "\n", why) for text, why in found.items()]
    return made if len(made) <= most else [made[at * len(made) // most] for at in range(most)]


def _walk(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes that may change, from the first line on."""
    for node in body:
        if not _is_dead(node):
            yield node
            if not isinstance(node, _SPARED):
                yield from _walk_inside(node)


def _walk_inside(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.arguments, ast.JoinedStr)) or _is_dead(child):
            continue
        yield child
        if isinstance(child, _SPARED):
            continue
        yield from _walk_inside(child)


def _is_dead(node: ast.AST) -> bool:
    """Whether a statement never does anything: `if 0 and ...`."""
    if not isinstance(node, ast.If):
        return False
    test = node.test
    first = (
        test.values[0] if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else test
    )
    return isinstance(first, ast.Constant) and not first.value


def _mutate(body: list[ast.stmt], place: ast.AST, number: int) -> tuple[list[ast.stmt], str]:
    """A copy of a body in which one node has one of its changes, and that in words."""
    memo: dict[int, object] = {}
    made = copy.deepcopy(body, memo)
    node = memo[id(place)]
    assert isinstance(node, ast.AST)
    before = ast.unparse(node).split("\n", 1)[0]
    changed = list(_change(node))[number]
    for owner in ast.walk(ast.Module(made, [])):
        for name, held in ast.iter_fields(owner):
            if held is node:
                setattr(owner, name, changed)
            elif isinstance(held, list):
                held[:] = [changed if each is node else each for each in held]
    made[:] = [changed if each is node else each for each in made]  # type: ignore[misc]
    return made, f"{before[:60]} became {ast.unparse(changed).split(chr(10), 1)[0][:60]}"


def _change(node: ast.AST) -> Iterator[ast.AST]:
    """The changed forms of one node."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        new = NEGATIONS[type(node.ops[0])]()
        yield ast.Compare(node.left, [new], node.comparators)
    elif isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in EXCHANGES:
        other = copy.copy(node)
        other.op = EXCHANGES[type(node.op)]()
        yield other
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from _change_constant(node)
    elif isinstance(node, (ast.If, ast.While, ast.IfExp)) and not isinstance(
        node.test, (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Constant)
    ):
        other_test = copy.copy(node)
        other_test.test = ast.UnaryOp(ast.Not(), node.test)
        yield other_test
    elif isinstance(node, (ast.Return, ast.Yield)) and node.value is not None:
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield type(node)(ast.Constant(None))
    elif isinstance(node, (ast.Expr, ast.Raise)):
        yield from _drop(node)


def _change_constant(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, (int, float)):
        yield ast.Constant(node.value + 1)


def _drop(node: ast.Expr | ast.Raise) -> Iterator[ast.AST]:
    """The statement left out, where it is a call or raises."""
    if isinstance(node, ast.Raise) or isinstance(node.value, ast.Call):
        yield ast.Pass()
