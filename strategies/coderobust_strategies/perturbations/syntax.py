"""Changes of syntax inside the prompt's code, which leave its meaning equal."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from random import Random

from coderobust_strategies.edit import Edit
from coderobust_strategies.perturbations.recode import TaskCode, edit_code
from coderobust_strategies.prompt.source import Source, SourceFunction, parse
from coderobust_strategies.site import pick

_MIRRORED: dict[type[ast.cmpop], str] = {
    ast.Lt: ">", ast.Gt: "<", ast.LtE: ">=", ast.GtE: "<=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_DEAD = (
    "if False:\n{indent}{unit}{name} = 0\n",
    "while False:\n{indent}{unit}break\n",
    "for {name} in ():\n{indent}{unit}pass\n",
)


def dead_code(task: TaskCode, rng: Random) -> TaskCode | None:
    """Adds statements that never run before a statement of the entry point."""
    found = _function(task)
    if found is None:
        return None
    source, function = found
    places = [
        (source.line_start(node), node.col_offset)
        for node in function.body[_is_docstring(function.body[0]) :]
        if source.line_start(node) <= len(task.prompt) and source.opens_line(node)
    ]
    if not places:
        return None
    place, column = pick(places, rng)
    indent = source.text[place : place + column]
    dead = pick(_DEAD, rng).format(indent=indent, unit=indent or "    ", name="_unused")
    if place == len(task.prompt):  # the prompt ends where the body starts
        return TaskCode(task.prompt + indent + dead, task.solution, task.tests, task.entry_point)
    return edit_code(task, [Edit(place, place, indent + dead, "syntax")])


def operand_swap(task: TaskCode, rng: Random) -> TaskCode | None:
    """Exchanges the sides of a comparison: `a < b` becomes `b > a`."""
    found = _function(task)
    if found is None:
        return None
    source, function = found
    choices = [
        edit
        for node in ast.walk(function)
        if isinstance(node, ast.Compare)
        for edit in _swap_sides(source, node)
        if edit.stop <= len(task.prompt)
    ]
    return edit_code(task, [pick(choices, rng)]) if choices else None


def for_to_while(task: TaskCode, rng: Random) -> TaskCode | None:
    """Turns a loop over `range` that is whole in the prompt into a `while` loop."""
    found = _function(task)
    if found is None:
        return None
    source, function = found
    choices = [
        edits
        for node in ast.walk(function)
        if isinstance(node, ast.For) and source.span(node)[1] < len(task.prompt)
        for edits in _make_while(source, function, node)
    ]
    return edit_code(task, pick(choices, rng)) if choices else None


def _function(task: TaskCode) -> tuple[Source, SourceFunction] | None:
    source = parse(task.prompt + task.solution)
    function = source.function(task.entry_point) if source else None
    return (source, function) if source and function else None


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _swap_sides(source: Source, node: ast.Compare) -> Iterator[Edit]:
    mirrored = _MIRRORED.get(type(node.ops[0]))
    simple = (ast.Name, ast.Constant, ast.Call, ast.Subscript, ast.Attribute)
    sides = (node.left, *node.comparators)
    if mirrored and len(sides) == 2 and all(isinstance(side, simple) for side in sides):
        (start, end), (after, stop) = (source.span(side) for side in sides)
        text = source.text
        yield Edit(start, stop, f"{text[after:stop]} {mirrored} {text[start:end]}", "syntax")


def _make_while(source: Source, function: ast.AST, node: ast.For) -> Iterator[list[Edit]]:
    """Yields the edits that make a `while` loop of a `for` loop, where that keeps the meaning."""
    call, target = node.iter, node.target
    # Only `range(stop)` and `range(start, stop)`: the sign of a step may be unknown.
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and not node.orelse):
        return
    if call.func.id != "range" or not 1 <= len(call.args) <= 2 or call.keywords:
        return
    # `continue` would skip the increment at the end of the new body.
    inner = [child for statement in node.body for child in ast.walk(statement)]
    if not isinstance(target, ast.Name) or any(isinstance(c, ast.Continue) for c in inner):
        return
    # `range` reads its bounds once, `while` reads them at each turn: the body must not change them,
    # nor the variable. After the loop, the variable of a `while` is one higher.
    bound = {name.id for arg in call.args for name in ast.walk(arg) if isinstance(name, ast.Name)}
    if _touched_names(inner) & (bound | {target.id}) or _is_used_elsewhere(
        function, node, target.id
    ):
        return
    start, stop = source.span(node)
    # The increment needs a line of its own, in the body's indent and without tabs.
    indent = source.text[source.line_start(node) : start]
    last = node.body[-1]
    body = source.text[source.line_start(node.body[0]) : source.span(last)[0]]
    inner_indent = " " * node.body[0].col_offset
    if indent.strip() or "\t" in indent + body or node.body[0].lineno == node.lineno:
        return
    first, end = _bounds(source, call)
    head = f"{target.id} = {first}\n{indent}while {target.id} < {end}:"
    colon = source.text.index(":", source.span(call)[1])
    yield [
        Edit(start, colon + 1, head, "syntax"),
        Edit(stop, stop, f"\n{inner_indent}{target.id} += 1", "syntax"),
    ]


def _bounds(source: Source, call: ast.Call) -> tuple[str, str]:
    texts = [source.text[slice(*source.span(argument))] for argument in call.args]
    return ("0", texts[0]) if len(texts) == 1 else (texts[0], texts[1])


def _touched_names(nodes: list[ast.AST]) -> set[str]:
    """Collects the names that a loop's body binds or deletes, or whose attributes it uses."""
    touched: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            touched.add(node.id)
        elif isinstance(node, ast.Attribute | ast.Delete):
            touched.update(n.id for n in ast.walk(node) if isinstance(n, ast.Name))
    return touched


def _is_used_elsewhere(function: ast.AST, loop: ast.For, name: str) -> bool:
    inside = sum(isinstance(n, ast.Name) and n.id == name for n in ast.walk(loop))
    return sum(isinstance(n, ast.Name) and n.id == name for n in ast.walk(function)) > inside
