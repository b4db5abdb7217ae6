"""Names from syntax trees, against Python's own symbol tables; statements read together and alone."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_coderobust.models.extraction.blocks import names_of, quiet_parser, split_blocks
from pytest_coderobust.models.extraction.program import Wanted, choose_needed
from pytest_coderobust.models.extraction.statement import TopStatement, read_statements
from pytest_coderobust.models.extraction.tree_names import read_plain

NAMES = st.sampled_from(["a", "b", "c", "x", "print", "input", "super", "__debug__", "_p"])
MODULES = ["ast", "bisect", "functools", "heapq", "statistics", "textwrap", "types", "typing"]
"""Modules whose statements are read; with classes, decorators and conditional functions."""


@st.composite
def expressions(draw: st.DrawFn, depth: int = 2) -> str:
    if depth == 0:
        return draw(NAMES | st.sampled_from(["1", "'text'", "None"]))
    inner = expressions(depth - 1)
    shapes = (
        "{0}", "{0}.{n}", "{0}[{1}]", "{0}[{1}:{2}]", "{n}({0}, {n}={1})", "f(*{0}, **{1})",
        "{0} + {1}", "-{0}", "{0} and {1}", "{0} < {1}", "({0} if {1} else {2})", "({0}, {1})",
        "[{0}, *{1}]", "{{{0}: {1}, **{2}}}", "(lambda {n}, *y: {0} + {1})", "({n} := {0})",
        "[{0} for {n} in {1}]", "sum({0} for {n} in {1} if {2})", "f'{{{n}!r:>{{{n}}}}}'",
        "(lambda {n}=({0}): (lambda {n}: {1}))", "({0}, (yield {1}))", "await_({0})",
    )  # fmt: skip
    return draw(st.sampled_from(shapes)).format(
        draw(inner), draw(inner), draw(inner), n=draw(NAMES)
    )


@st.composite
def statements(draw: st.DrawFn, depth: int = 2) -> str:
    value, other = draw(expressions()), draw(expressions(1))
    name, second = draw(NAMES), draw(NAMES)
    shapes = [
        "{v}", "{n} = {v}", "{n}, {m} = {v}", "{n} += {v}", "{n}.{m} = {v}", "{n}[{o}] = {v}",
        "del {n}", "assert {v}, {o}", "import {n}.y", "import y as {n}", "from y import {n} as {m}",
        "from y import *", "from __future__ import annotations", "from __future__ import braces",
        "global {n}", "nonlocal {n}", "return {v}", "raise {v} from {o}", "pass", "{n}: int = {v}",
        "break", "continue",
    ]  # fmt: skip
    if depth:
        shapes += [
            "for {n} in {v}:{B}", "while {v}:{B}", "if {v}:{B}\nelse:{B}", "with {v} as {n}:{B}",
            "try:{B}\nexcept {o} as {n}:{B}", "class {n}({o}):{B}", "@{n}\nclass {m}:{B}",
            "def {n}({m}, q={o}, *args, k={v}, **kw):{B}", "def {n}({m}, {n}):{B}",
            "@{n}\ndef {m}(x, /):{B}", "def {n}(x: {o}) -> {m}:{B}", "async def {n}({m}):{B}",
            "match {v}:\n    case [{n}, *{m}]:{C}",
        ]  # fmt: skip
    body = st.lists(statements(depth - 1), min_size=1, max_size=3) if depth else st.just(["pass"])

    def block(indent: str) -> str:
        lines = "\n".join(draw(body)).split("\n")
        return "".join(f"\n{indent}{line}" for line in lines)

    shape = draw(st.sampled_from(shapes))
    filled = shape.replace("{B}", block("    ")) if "{B}" in shape else shape
    filled = filled.replace("{C}", block("        ")) if "{C}" in filled else filled
    for mark, text in (("{v}", value), ("{o}", other), ("{n}", name), ("{m}", second)):
        filled = filled.replace(mark, text)
    return filled


def assert_same(source: str, *, known: bool = False) -> None:
    """Compares the two ways of reading a source's names, where the tree is plain."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    found = read_plain(tree.body)
    if found is not None or known:
        assert found is not None
        assert found.names == names_of(source), source


@settings(max_examples=60)
@given(statements())
def test_a_tree_has_the_names_of_the_symbol_table(source: str) -> None:
    assert_same(source)


@pytest.mark.parametrize(
    "source",
    [
        "total = helper(x)[y].z",
        "for i in range(3):\n    t[i] = i",
        "def f(a, b=c, *d, e=g, **h):\n    import os.path as p, sys.path\n    a = b + k\n    return p",
        "def f(a):\n    def g(b):\n        return a + b + c\n    return g",
        "key = lambda a, b=c: (lambda d: a + d + e)",
        "@cache\n@wrap(x)\ndef f():\n    return f",
        "if a:\n    import b\nelse:\n    del c\n    raise d from e",
        "with open(p) as f, g:\n    t = {**a, b: [*c]}; u = f'{v!r:>{w}}'",
        "x += y; z.w += 1",
    ],
)
def test_plain_statements_are_read_from_the_tree(source: str) -> None:
    assert_same(source, known=True)


@pytest.mark.parametrize(
    "source",
    [
        "class A: pass",
        "[a for a in b]",
        "global a",
        "def f(a: int): pass",
        "def f() -> int: pass",
        "def f(a, a): pass",
        "def f():\n    yield a",
        "return a",
        "from a import *",
        "from __future__ import annotations",
        "def f(): super().g()",
        "__debug__ = 1",
        "a: int = 1",
        "(a := 1)",
        "f = " + "lambda: " * 40 + "a",
        "x = " + "-" * 600 + "1",
        "try:\n    a\nexcept b as c:\n    pass",
    ],
)
def test_trees_that_are_not_plain_are_left_to_symbol_tables(source: str) -> None:
    assert read_plain(ast.parse(source).body) is None


@pytest.mark.parametrize("name", MODULES)
def test_statements_of_the_standard_library(name: str) -> None:
    source = inspect.getsource(importlib.import_module(name))
    blocks = split_blocks(source)
    with quiet_parser():
        assert_read_alike(blocks)
        plain = sum(read_plain(ast.parse(block).body) is not None for block in blocks)
    assert plain > len(blocks) / 8, "the short way is taken"


def assert_read_alike(blocks: Sequence[str]) -> None:
    for together, block in zip(read_statements(blocks), blocks, strict=True):
        alone = TopStatement(block)
        assert (together.valid, together.names) == (alone.valid, alone.names), block
        assert together.effects == alone.effects, block
        assert [ast.dump(each) for each in together.tree or ()] == [
            ast.dump(each) for each in alone.tree or ()
        ], block
        assert (together.tree is None) == (alone.tree is None)


EDGES = st.sampled_from(
    [
        "# a comment\n", "\n", "x = 1; y = 2\n", "x = 1 \\\n", "x = (\n", ")\n", "'''\n", "@f\n",
        "+ 2\n", "from t)\n", "(yield\n", "else:\n    pass\n", "    indented\n", "x = 1\r\n",
        "Prose, isn't it?\n", "x = 1", "\ufeff", "\x0c", "def f(): return x  # c", "\\\n", "x\0\n",
    ]
)  # fmt: skip


@settings(max_examples=50)
@given(st.lists(statements(1).map(lambda text: f"{text}\n") | EDGES, max_size=6))
def test_statements_read_together_are_what_they_are_alone(blocks: list[str]) -> None:
    with quiet_parser():
        assert_read_alike(blocks)
        assert_read_alike(split_blocks("".join(blocks)))


def test_statements_of_one_text_are_one() -> None:
    blocks = ["t[0] = f(1)\n", "x = 1\n", "t[0] = f(1)\n"]
    first, other, last = read_statements(blocks)
    assert first is last
    assert [each.source for each in (first, other, last)] == blocks


def test_a_choice_among_many_statements() -> None:
    helpers = [f"def f{place}(x):\n    return f{place + 1}(x)\n" for place in range(50)]
    blocks = [*helpers, "def unused(a: int):\n    return a\n", "print(f0(1))\n", "f50 = abs\n"]
    choice = choose_needed(blocks, Wanted({"f0"}, entry_point="f0"))
    assert choice.kept == (*[True] * 50, False, False, True)
    assert choice.valid


def test_a_long_text_is_read_as_its_statements_are() -> None:
    kinds = ["def f{0}(x):\n    t[x] = f{1}\n", "t[{0}] = f{0}\n", "print(f{0})\n", "x = (\n"]
    blocks = [kinds[place % 7 % 3].format(place, place + 1) for place in range(1_200)]
    blocks[450] = kinds[3]
    with quiet_parser():
        assert_read_alike(blocks)
