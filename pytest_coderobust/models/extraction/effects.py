"""Effects of a top-level statement on names that it does not bind: changes in place, reads, limits.

A statement may fill a table that a function reads, or only print an example. Its syntax says which:
stores to items and attributes, methods called on a name, names handed to a call. Nothing is run.
Time is linear in the statement.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_coderobust.models.extraction.blocks import quiet_parser

LIMITS = "<limits>"
"""Stands among the changed names for the interpreter's limits, which everything runs under."""

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SPEAKING = frozenset({ast.Call, ast.Attribute, ast.Subscript, ast.Global, *_DEFINITIONS})
"""Kinds of nodes that may have effects."""

_CALLABLE = (ast.Lambda, ast.Call, ast.Name, ast.Attribute, ast.Subscript, ast.IfExp, ast.NamedExpr)
_SETS_LIMITS = frozenset({"setrecursionlimit", "set_int_max_str_digits", "stack_size", "setrlimit"})
_LEAF_TYPES = (ast.Name, ast.Constant)
_LEAF_FIELDS = frozenset({"ctx", "op", "ops", "id", "attr", "arg", "name", "type_comment", "kind"})
_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}
_LEAVES = frozenset({"exit", "quit", "_exit", "abort"})
_STREAMS = frozenset({"stdout", "stderr"})
_SHOWS = frozenset({"print", "pprint", "help", "display"})
# Calls that change nothing they are handed, though examples hand it to them all the time.
_PURE = frozenset(
    """
    abs all any ascii bin bool bytes chr complex dict dir divmod enumerate filter float
    format frozenset getattr hasattr hash hex id int isinstance issubclass len list map max
    min oct ord pow print range repr reversed round set sorted str sum tuple type zip
    """.split()  # noqa: SIM905
)
_PURE_METHODS = frozenset(
    """
    copy count endswith find format get index isalpha isdigit items join keys lower replace
    split startswith strip upper values
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of one statement, with everything inside it.

    Attributes:
        changed: names that it binds anew from inside a function, or whose object it stores into,
            calls a method of, or derives a class from.
        passed: names that it hands to a call.
        reads: it uses standard input, or ends the program.
    """

    changed: frozenset[str] = frozenset()
    passed: frozenset[str] = frozenset()
    reads: bool = False


def parse_statement(source: str) -> tuple[ast.stmt, ...] | None:
    """Parses one statement, or several on a line; None where it is not valid Python."""
    with quiet_parser():
        try:
            return tuple(ast.parse(source).body)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def is_idle(statements: Iterable[ast.stmt]) -> bool:
    """Tells whether statements serve no function: they print, assert, or guard a main program."""
    return all(map(_is_idle, statements))


def is_renaming(statements: Iterable[ast.stmt]) -> bool:
    """Tells whether statements only give a name to a function, or to what has one already."""
    return all(map(_renames, statements))


def list_speaking(statements: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    """Lists the nodes of statements that may have effects, with everything inside them."""
    return (node for node in _walk(statements) if type(node) in SPEAKING)


def find_effects(speaking: Iterable[ast.AST]) -> Effects:
    """Finds the effects of nodes."""
    changed: set[str] = set()
    passed: set[str] = set()
    reads = False
    for node in speaking:
        if isinstance(node, ast.Call):
            changed.update(_list_changed(node))
            passed.update(_list_passed(node))
            reads = reads or _ends_or_reads(node)
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            reads = reads or (isinstance(node, ast.Attribute) and node.attr == "stdin")
            if not isinstance(node.ctx, ast.Load):
                changed.add(_find_root(node, through_calls=True))
        elif isinstance(node, ast.Global):
            changed.update(node.names)
        elif isinstance(node, _DEFINITIONS):
            changed.update(_list_told(node))
    changed.discard("")
    return Effects(frozenset(changed), frozenset(passed), reads)


def binds_function(source: str, name: str) -> bool:
    """Tells whether a valid statement binds a name to what may be called, inside an if or try too.

    A number, a text or a list cannot be; a statement that returns belongs to a body; and one that
    computes the name from itself, or imports it from the answer's own file, is an example.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    waiting: list[ast.AST] = [tree]
    found = False
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom, ast.Await)):
            return False
        found = found or _binds_callable(node, name)
        if not isinstance(node, (*_DEFINITIONS, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))
    return found


def _binds_callable(node: ast.AST, name: str) -> bool:
    if isinstance(node, _DEFINITIONS):
        return node.name == name
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return _is_standard(node) and any((a.asname or a.name) == name for a in node.names)
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
        return named and isinstance(node.value, _CALLABLE) and not _mentions(node.value, name)
    return False


def _is_standard(node: ast.Import | ast.ImportFrom) -> bool:
    modules = (
        [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
    )
    return all(module.partition(".")[0] in sys.stdlib_module_names for module in modules)


def _mentions(node: ast.AST, name: str) -> bool:
    """Whether a value is made from the name; a lambda may call itself."""
    if isinstance(node, ast.Lambda):
        return False
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))


def _walk(statements: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    """Walks through trees as `ast.walk` does, in any order, but for leaves that say nothing.

    Names, constants, operators and contexts are more than half of all nodes.
    """
    waiting: list[ast.AST] = [*statements]
    while waiting:
        node = waiting.pop()
        yield node
        kind = type(node)
        if kind not in _FIELDS:
            _FIELDS[kind] = _list_fields(kind)
        for name in _FIELDS[kind]:
            value = getattr(node, name, None)
            if type(value) is list:
                waiting += [each for each in value if isinstance(each, ast.AST)]
            elif type(value) not in _LEAF_TYPES and isinstance(value, ast.AST):
                waiting.append(value)


def _list_fields(kind: type[ast.AST]) -> tuple[str, ...]:
    """Lists the fields of a kind of node in which there may be more to see."""
    return () if kind in _LEAF_TYPES else tuple(f for f in kind._fields if f not in _LEAF_FIELDS)


def _list_changed(call: ast.Call) -> Iterator[str]:
    """Lists what the call may change through the name it is called on."""
    function = call.func
    name = _name_last(function)
    if name in _SETS_LIMITS:
        yield LIMITS
    if isinstance(function, ast.Attribute) and name not in _PURE_METHODS | _LEAVES:
        inner = function.value
        if not (isinstance(inner, ast.Attribute) and inner.attr in _STREAMS):
            yield _find_root(inner)
    if name in ("setattr", "delattr") and call.args:
        yield _find_root(call.args[0])


def _list_told(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[str]:
    """Lists what learns of a definition: registers among its decorators, and base classes."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Attribute):
            yield _find_root(decorator)
    if isinstance(node, ast.ClassDef):
        for base in node.bases:
            yield _find_root(base)


def _list_passed(call: ast.Call) -> Iterator[str]:
    """Lists the names that a call is handed, where it may change them."""
    if isinstance(call.func, ast.Name) and call.func.id in _PURE:
        return
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        if root := _find_root(argument):
            yield root


def _find_root(node: ast.AST, *, through_calls: bool = False) -> str:
    """Finds the name at the root of a.b[c]; "" where there is none."""
    while True:
        if isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
            node = node.value
        elif through_calls and isinstance(node, ast.Call):
            node = node.func
        else:
            return node.id if isinstance(node, ast.Name) else ""


def _name_last(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _ends_or_reads(call: ast.Call) -> bool:
    if _name_last(call.func) in _LEAVES:
        return True
    first = call.args[0] if call.args else None
    opens = isinstance(call.func, ast.Name) and call.func.id == "open"
    return opens and isinstance(first, ast.Constant) and first.value == 0


def _is_idle(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        value = statement.value
        shows = isinstance(value, ast.Call) and _name_last(value.func) in _SHOWS
        return shows or isinstance(value, ast.Constant)
    if isinstance(statement, ast.If):
        return any(isinstance(x, ast.Name) and x.id == "__name__" for x in ast.walk(statement.test))
    return isinstance(statement, (ast.Assert, ast.Pass))


def _renames(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Assign):
        return False
    value = statement.value
    while isinstance(value, ast.Attribute):
        value = value.value
    return isinstance(value, (ast.Name, ast.Lambda))
