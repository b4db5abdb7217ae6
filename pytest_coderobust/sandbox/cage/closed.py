"""Finds loops that depend on nothing but plain values of their own function's variables.

Such a loop uses operators, subscripts, methods and those builtins whose results follow from their
arguments. It calls no function of its own or of a module, reads no global, and sees neither
identity nor address of an object: nothing outside its variables can change what it does. What
cannot be judged is not closed.
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
ITERATORS = ("enumerate", "filter", "map", "reversed", "zip")
CONSUMERS = (
    *ITERATORS, "all", "any", "bytes", "dict", "frozenset", "list", "max", "min", "set", "sorted",
    "sum", "tuple",
)  # fmt: skip
CONSUMING = ("extend", "join", "update")
FORMATTING = ("format", "format_map")  # "{.append}" shows an address
REMOVING = ("clear", "pop", "popitem")
REAL = {name: vars(builtins)[name] for name in PURE}  # before a solution puts others in place
NODES = frozenset({
    "While", "For", "If", "Assign", "AugAssign", "Expr", "Pass", "Break", "Continue", "Return",
    "Delete", "Subscript", "Slice", "Starred", "Constant", "Tuple", "List", "Set", "Dict",
    "BinOp", "UnaryOp", "BoolOp", "IfExp", "NamedExpr", "Call", "keyword", "JoinedStr",
    "FormattedValue", "Attribute", "ListComp", "SetComp", "DictComp", "GeneratorExp",
    "comprehension", "expr_context", "operator", "unaryop", "boolop", "cmpop",
})  # fmt: skip
"""Kinds of syntax, the last ones of whole families; names and comparisons have rules of their
own."""


SOURCE = 20_000
"""Characters of a source that is read again to judge its loops: a few thousandths of a second."""


class Loop(NamedTuple):
    """A closed `while`.

    Attributes:
        line, last_line: of the source, from 1.
        start: the offset of the first instruction of its body.
        names: its variables, in order.
        hides: dictionaries are not all that can be seen of them: it takes entries out while it goes
            through something, and where the gaps are then matters.
    """

    line: int
    last_line: int
    start: int
    names: tuple[str, ...]
    hides: bool

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
        last = node.end_lineno or node.lineno
        around = node.lineno <= (frame.f_lineno or 0) <= last
        start = body_start(node, offsets) if around else None
        if start is not None and is_closed(node, frame):
            names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            found.append(Loop(node.lineno, last, start, tuple(sorted(names)), hides(node)))
    return found


def body_start(loop: Any, offsets: dict[int, int]) -> int | None:
    """The offset of a body's first instruction, before which nothing is under way.

    None where it cannot be told from the condition. It need not be on the statement's first line:
    `x = (`, the value, `)` begins with the value, and comes back to its first line to store it.
    """
    first = loop.body[0]
    if first.lineno <= loop.test.end_lineno:
        return None
    lines = range(first.lineno, first.end_lineno + 1)
    return min((offsets[line] for line in lines if line in offsets), default=None)


def hides(loop: Any) -> bool:
    """Whether a loop both takes out entries and goes through something, perhaps at once."""
    import ast

    nodes = list(ast.walk(loop))
    goes = any(isinstance(node, (ast.For, ast.comprehension)) for node in nodes)
    return goes and any(
        isinstance(node, ast.Delete) or getattr(node, "attr", "") in REMOVING for node in nodes
    )


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
    targets = {
        part.id
        for node in nodes
        if isinstance(node, ast.comprehension)
        for part in ast.walk(node.target)
        if isinstance(part, ast.Name)
    }

    def allowed(node: ast.AST) -> bool:
        if isinstance(node, ast.Name):
            if node.id.startswith("__"):  # in a class it is stored under another name
                return False
            if node.id in targets and node.id in code.co_names:  # it may be a global elsewhere
                return False
            stored = not isinstance(node.ctx, ast.Load) and node.id not in targets
            return node.id in own or (not stored and is_free(node.id, frame, targets))
        if isinstance(node, ast.Compare):
            return all(map(comparable, node.ops, node.comparators))
        return any(kind.__name__ in NODES for kind in type(node).__mro__)

    def comparable(operator: ast.cmpop, right: ast.expr) -> bool:
        """Not of two objects' identity: equal values may or may not be one object."""
        if not isinstance(operator, (ast.Is, ast.IsNot)):
            return True
        return isinstance(right, ast.Constant) and type(right.value) in (bool, type(None))

    return all(map(allowed, nodes)) and not shows_address(nodes)


def shows_address(nodes: list[Any]) -> bool:
    """Whether a method or an iterator is kept as a value: its text has its address in it.

    Two iterators made of the same values differ in nothing else, once they are gone through.
    """
    import ast

    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    spent = {id(part) for node in nodes for part in gone_through(node)}

    def shows(node: ast.AST) -> bool:
        if isinstance(node, ast.Attribute):
            hidden = node.attr.startswith("_") or node.attr in FORMATTING
            return hidden or id(node) not in called
        if isinstance(node, ast.Name):
            return node.id in ITERATORS and id(node) not in called
        if isinstance(node, ast.Call) and not isinstance(node.func, (ast.Name, ast.Attribute)):
            return True
        iterator = getattr(getattr(node, "func", None), "id", "") in ITERATORS
        return (iterator or isinstance(node, ast.GeneratorExp)) and id(node) not in spent

    return any(map(shows, nodes))


def gone_through(node: Any) -> list[Any]:
    """The parts of a node whose values it goes through, and keeps none of."""
    kind = type(node).__name__
    if kind in ("For", "comprehension"):
        return [node.iter]
    if kind == "Starred":
        return [node.value]
    if kind != "Call":
        return []
    called = getattr(node.func, "id", "")
    if called in ITERATORS:
        return list(node.args)
    consumes = called in CONSUMERS or getattr(node.func, "attr", "") in CONSUMING
    return node.args[:1] if consumes else []


def is_free(name: str, frame: FrameType, targets: set[str]) -> bool:
    """Whether a name that is none of the function's means a pure builtin, or a comprehension's own.

    A comprehension's own name must mean nothing outside it.
    """
    if name in frame.f_globals:
        return False
    if name in targets:
        return name not in frame.f_builtins
    return name in PURE and frame.f_builtins.get(name) is REAL[name]
