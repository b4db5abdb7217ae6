"""Rewrites trusted test source, so that each assert is counted and none hides the next.

`assert x` becomes `with guards[i]: assert x`: one assert of the source is one test, whatever
loops and helpers do with it. A statement that calls `numpy.testing` or `pandas.testing` is an
assert too. The tests themselves are not altered: the assert inside the guard is the data set's own,
with its own place in the file. Its message goes where it would call the solution once more
(`assert f(1) == 2, str(f(1))`): what is asked of a solution must not depend on what it answered.
"""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import cast

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Tests
from pytest_coderobust.sandbox.judge.asserting_calls import (
    AssertingNames,
    asserts,
    find_asserting_names,
)

GUARDS = "__guards__"
HOLDERS = (ast.stmt, ast.ExceptHandler, ast.match_case)
WRITERS = frozenset({"str", "repr", "format", "len", "type"})


@dataclass(frozen=True, slots=True)
class Suite:
    """Test source made ready to run.

    Attributes:
        helpers, code: what to execute, in this order, in one namespace that binds `GUARDS`.
        total: how many tests it holds, known before anything runs: its asserts, or 1 where it
            has none and only its normal end says that it passed.
        caught: indices of asserts whose failure the source itself may catch; a guard must let
            those through.
        tests: what it was made from.
    """

    helpers: CodeType
    code: CodeType
    total: int
    caught: frozenset[int]
    tests: Tests

    @property
    def sources(self) -> tuple[str, ...]:
        """The text of each assert, shortened, to name the one that fails."""
        return describe_asserts(self.tests)

    @property
    def identities(self) -> frozenset[int]:
        """Indices of the asserts that compare the identity of what is no constant."""
        return find_identities(self.tests)


@lru_cache(maxsize=2048)
def prepare(tests: Tests) -> Suite:
    """Compiles tests. Raises SandboxError when the source is not valid Python."""
    try:
        tree, numbering = _number(tests)
        code = compile(tree, "<tests>", "exec", dont_inherit=True)
        helpers = compile(tests.helpers, "<helpers>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise SandboxError(f"the tests are not valid Python: {error}") from None
    total = max(1, len(numbering.asserted))
    return Suite(helpers, code, total, frozenset(numbering.caught), tests)


@lru_cache(maxsize=256)
def describe_asserts(tests: Tests) -> tuple[str, ...]:
    """Returns the shortened text of each assert, which takes longer than compiling them."""
    return tuple(map(_describe, _number(tests)[1].asserted))


@lru_cache(maxsize=256)
def find_identities(tests: Tests) -> frozenset[int]:
    """Finds the asserts that ask which object a value is; only a failure needs to know."""
    asserted = _number(tests)[1].asserted
    return frozenset(at for at, x in enumerate(asserted) if _compares_identity(x))


@lru_cache(maxsize=256)
def write_guarded(tests: Tests) -> str:
    """Writes the source with its guards as text, for a process that can be sent nothing else.

    Raises:
        SandboxError: the source is not valid Python, or nested too deep to be written again.
    """
    try:
        return ast.unparse(_number(tests)[0])
    except (SyntaxError, ValueError, RecursionError) as error:
        raise SandboxError(f"the tests cannot be judged in one process: {error}") from None


def _number(tests: Tests) -> tuple[ast.Module, _Numbering]:
    """Puts the source's asserts into guards."""
    tree = ast.parse(tests.source, "<tests>")
    named = AssertingNames()
    if "testing" in tests.source or "testing" in tests.helpers:
        named = find_asserting_names([tree, ast.parse(tests.helpers)])
    numbering = _Numbering(named)
    numbering.visit(tree)
    return tree, numbering


def shorten(text: str, limit: int = 200) -> str:
    """Leaves out the middle of a long text: an assert ends in what was expected."""
    half = (limit - 5) // 2
    return text if len(text) <= limit else f"{text[:half]} ... {text[-half:]}"


def _describe(test: ast.expr) -> str:
    try:
        return shorten(" ".join(ast.unparse(test).split()))
    except RecursionError:  # the text is for people only: the assert is still a test
        return "..."


def _may_call(message: ast.expr) -> bool:
    """Whether evaluating a message may call anything but functions that write values as text."""
    calls = [node.func for node in ast.walk(message) if isinstance(node, ast.Call)]
    return any(not (isinstance(f, ast.Name) and f.id in WRITERS) for f in calls)


def _compares_identity(test: ast.expr) -> bool:
    """Whether an assert compares the identity of objects that the wire does not keep.

    The wire keeps constants (`is None`) and builtin types (`type(x) is int`).
    """
    return any(
        isinstance(operator, (ast.Is, ast.IsNot)) and not any(map(_is_kept, pair))
        for node in ast.walk(test)
        if isinstance(node, ast.Compare)
        for operator, *pair in zip(
            node.ops, (node.left, *node.comparators), node.comparators, strict=False
        )
    )


def _is_kept(value: ast.expr) -> bool:
    if isinstance(value, ast.Name):
        return hasattr(builtins, value.id)
    return isinstance(value, ast.Constant)


class _Numbering(ast.NodeTransformer):
    """Wraps each assert in its guard, numbered in source order."""

    def __init__(self, named: AssertingNames) -> None:
        self._named = named
        self.asserted: list[ast.expr] = []
        self.caught: set[int] = set()
        self._handlers = 0

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if type(node).__name__ == "TryStar":  # `except*`, which Python 3.10 does not have
            return self.visit_Try(cast("ast.Try", node))
        # Asserts are statements, and statements are in lists: expressions can be left out.
        for _, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], HOLDERS):
                value[:] = [self.visit(child) for child in value]
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        if node.msg is not None and _may_call(node.msg):
            node.msg = None
        return self._guard(node, node.test)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return self._guard(node, node.value) if asserts(node.value, self._named) else node

    def _guard(self, node: ast.stmt, asserted: ast.expr) -> ast.AST:
        index = len(self.asserted)
        self.asserted.append(asserted)
        if self._handlers:
            self.caught.add(index)
        guards, number = ast.Name(GUARDS, ast.Load()), ast.Constant(index)
        guard = ast.Subscript(guards, number, ast.Load())
        wrapped = ast.With([ast.withitem(guard)], [node])
        for made in (guards, number, guard, wrapped):
            ast.copy_location(made, node)
        return wrapped

    def visit_Try(self, node: ast.Try) -> ast.AST:
        self._handlers += bool(node.handlers)
        node.body = [self.visit(child) for child in node.body]
        self._handlers -= bool(node.handlers)
        for branch in (node.handlers, node.orelse, node.finalbody):
            branch[:] = [self.visit(child) for child in branch]
        return node
