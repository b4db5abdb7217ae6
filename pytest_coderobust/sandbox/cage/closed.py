"""Finds loops that depend on nothing but plain values of their own function's variables.

Such a loop uses operators, subscripts, methods and those builtins whose results follow from their
arguments. It calls no function of its own or of a module, reads no global, and sees no identity of
an object: nothing outside its variables can change what it does. What cannot be judged is not
closed.
"""

from __future__ import annotations

import builtins
from types import FrameType
from typing import Any, NamedTuple

PURE = (
    "abs", "all", "any", "bin", "bool", "bytes", "chr", "dict", "divmod", "enumerate", "filter",
    "float", "frozenset", "hex", "int", "isinstance", "len", "list", "map", "max", "min", "oct",
    "ord", "pow", "range", "repr", "reversed", "round", "set", "sorted", "str", "sum", "tuple",
    "zip",
)  # fmt: skip
REAL = {name: vars(builtins)[name] for name in PURE}  # before a solution puts others in place
NODES = frozenset({
    "While", "For", "If", "Assign", "AugAssign", "Expr", "Pass", "Break", "Continue", "Return",
    "Delete", "Subscript", "Slice", "Starred", "Constant", "Tuple", "List", "Set", "Dict",
    "BinOp", "UnaryOp", "BoolOp", "IfExp", "NamedExpr", "Call", "keyword", "JoinedStr",
    "FormattedValue", "ListComp", "SetComp", "DictComp", "GeneratorExp", "comprehension",
    "expr_context", "operator", "unaryop", "boolop", "cmpop",
})  # fmt: skip
"""Kinds of syntax, the last ones of whole families; names, attributes and comparisons have rules
of their own."""


SOURCE = 100_000
"""Characters of a source that is read again to judge its loops."""


class Loop(NamedTuple):
    """A closed `while`.

    Attributes:
        line, last_line: of the source, from 1.
        start: the offset of the first instruction of its body.
        names: its variables, in order.
    """

    line: int
    last_line: int
    start: int
    names: tuple[str, ...]

    def holds(self, line: int) -> bool:
        """Whether a line is its own."""
        return self.line <= line <= self.last_line


def closed_loops(source: str, frame: FrameType) -> list[Loop]:
    """The closed loops around the line where a function's frame is.

    Args:
        source: of the frame's file; one that does not parse, or is very long, has none.
    """
    import ast  # most forks never need it

    if len(source) > SOURCE:
        return []
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    offsets = starts(frame)
    found: list[Loop] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.While):
            continue
        last, body = node.end_lineno or node.lineno, node.body[0].lineno
        around = node.lineno <= (frame.f_lineno or 0) <= last
        # A body on the line of its head shares it with the condition.
        if around and body > node.lineno and body in offsets and is_closed(node, frame):
            names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            found.append(Loop(node.lineno, last, offsets[body], tuple(sorted(names))))
    return found


def starts(frame: FrameType) -> dict[int, int]:
    """The offset of each line's first instruction."""
    found: dict[int, int] = {}
    for start, _, line in frame.f_code.co_lines():
        if line is not None:
            found[line] = min(start, found.get(line, start))
    return found


def is_closed(loop: Any, frame: FrameType) -> bool:
    """Whether a loop's next round follows from its variables alone, if these are plain values."""
    import ast

    code = frame.f_code
    own = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
    nodes = list(ast.walk(loop))
    methods = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    targets = {
        part.id
        for node in nodes
        if isinstance(node, ast.comprehension)
        for part in ast.walk(node.target)
        if isinstance(part, ast.Name)
    }

    def allowed(node: ast.AST) -> bool:
        if isinstance(node, ast.Name):
            stored = not isinstance(node.ctx, ast.Load) and node.id not in targets
            return node.id in own or (not stored and is_free(node.id, frame, targets))
        if isinstance(node, ast.Attribute):
            return id(node) in methods and not node.attr.startswith("_")
        if isinstance(node, ast.Compare):
            return all(map(comparable, node.ops, node.comparators))
        return any(kind.__name__ in NODES for kind in type(node).__mro__)

    def comparable(operator: ast.cmpop, right: ast.expr) -> bool:
        """Not of two objects' identity: equal values may or may not be one object."""
        if not isinstance(operator, (ast.Is, ast.IsNot)):
            return True
        return isinstance(right, ast.Constant) and type(right.value) in (bool, type(None))

    return all(map(allowed, nodes))


def is_free(name: str, frame: FrameType, targets: set[str]) -> bool:
    """Whether a name that is none of the function's means a pure builtin, or a comprehension's own.

    A comprehension's own name must mean nothing outside it.
    """
    if name in frame.f_globals:
        return False
    if name in targets:
        return name not in frame.f_builtins
    return name in PURE and frame.f_builtins.get(name) is REAL[name]
