"""Uses of APIs in programs: scopes as Python has them, and references as a person would find them."""

from __future__ import annotations

import ast
import symtable
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.migration.scopes import Scope, read_scopes
from pytest_coderobust.migration.uses import find_uses, list_bound

CORPUS = {
    "an alias": (
        "import math as m\nfrom collections import Counter as C\ndef f(x):\n    return C(m.floor(x))\n",
        [("collections.Counter", 2), ("collections.Counter", 4), ("math.floor", 4)],
    ),
    "a star": (
        "from math import *\ndef f(x):\n    return floor(sqrt(x))\n",
        [("math.floor", 3), ("math.sqrt", 3)],
    ),
    "a shadowed len": ("def f(len):\n    return len(sorted([len]))\n", [("sorted", 2)]),
    "a method split": ("import re\ndef f(x):\n    return x.split(',') + re.split(',', x)\n", [("re.split", 3)]),
    "a walrus": (
        "def f(x):\n    return [y for z in x if (sum := z)] and sum\ndef g(x):\n    return sum(x)\n",
        [("sum", 4)],
    ),
    "a walrus in a comprehension": (
        "def f(x):\n    [max(last := z) for z in min(x)]\n    return last\n",
        [("max", 2), ("min", 2)],
    ),
    "an unused import": ("from math import tan\ndef f(x):\n    return x\n", [("math.tan", 1)]),
    "a nested class": (
        ("class A:\n    len = 3\n    size = len\n    def f(self, x):\n        return len(x)\n"
        "    class B:\n        size = abs(len([]))\n"),
        [("len", 5), ("abs", 7), ("len", 7)],
    ),
    "a first iterable": (
        "class A:\n    len = [1]\n    both = [len for x in len]\n", [("len", 3)],
    ),
    "a value, a decorator and a base": (
        ("import functools\nfrom collections import OrderedDict\n@functools.lru_cache\ndef f(x):\n"
        "    return list(map(abs, x))\nclass A(OrderedDict):\n    pass\n"),
        [("collections.OrderedDict", 2), ("functools.lru_cache", 3), ("list", 5), ("map", 5),
         ("abs", 5), ("collections.OrderedDict", 6)],
    ),
    "a class's attribute": (
        "import itertools as i\ndef f(x):\n    return i.chain.from_iterable(x)\n",
        [("itertools.chain", 3)],
    ),
    "a path": (
        "import os\nimport os.path as p\nfrom os import path\ndef f(x):\n    return os.path.join(p.join(x), path.join(x))\n",
        [("os.path.join", 5)] * 3,
    ),
    "two meanings": (
        "from math import gcd\ntry:\n    from fractions import gcd\nexcept ImportError:\n    pass\nprint(gcd(1, 2))\n",
        [("math.gcd", 1), ("ImportError", 4), ("print", 6)],
    ),
    "global and nonlocal": (
        ("def f():\n    global round\n    round = 1\ndef g():\n    abs = 1\n    def h():\n        nonlocal abs\n"
        "        abs = 2\n        return abs(1)\n    return round(h()), any([])\n"),
        [("any", 10)],
    ),
    "a nonlocal assignment": (
        "def f():\n    from math import gcd\n    def g():\n        nonlocal gcd\n        gcd = 1\n    return gcd(1, 2)\n",
        [("math.gcd", 2)],
    ),
    "names bound otherwise": (
        ("import contextlib\nfor sum in []: pass\nwith contextlib.suppress() as max: pass\n"
        "try: pass\nexcept ValueError as min: pass\ndef all(): pass\nclass any: pass\nimport math as abs\n"
        "sum(), max(), min(), all(), any(), abs(), del_\nmatch 1:\n    case [ord, *chr] if ord(1): pass\n"
        "    case {'a': 1, **bin}: pass\nprint(ord, chr(1), bin(1), hex(1))\n"),
        [("contextlib.suppress", 3), ("ValueError", 5), ("print", 13), ("hex", 13)],
    ),
    "another's package": ("import numpy as np\nfrom .own import sqrt\nnp.sort([]), sqrt(1)\n", []),
    "a lambda and a default": (
        "def f(x=len, *, k=abs('')):\n    return lambda len=len(x): len\n",
        [("len", 1), ("abs", 1), ("len", 2)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CORPUS)
def test_a_hand_made_corpus(name: str) -> None:
    source, expected = CORPUS[name]
    found = [(use.api, use.lineno) for use in find_uses(ast.parse(source)).uses]
    assert found == expected


def test_decorators_and_annotations_stand_aside() -> None:
    source = (
        "import functools\n@functools.cache\ndef f(x: range) -> len(''):\n    y: slice = abs(x)\n"
        "    return functools.cache(y)\n"
    )
    found = [(use.api, use.place.aside) for use in find_uses(ast.parse(source)).uses]
    assert found == [
        ("functools.cache", True), ("range", True), ("len", True), ("slice", True),
        ("abs", False), ("functools.cache", False),
    ]  # fmt: skip


def test_what_a_program_binds_is_listed() -> None:
    tree = ast.parse(
        "import a.b\ndef f(x):\n    global y\n    y = [z for z in x]\nclass C: w = 1\n"
    )
    bound = list_bound(read_scopes(tree))
    assert bound >= {"a", "f", "x", "y", "z", "C"}


def classify_here(source: str) -> Counter[tuple[str, str, str]]:
    """Names of a program by the kind of their scope and the scope they belong to, by our reader."""
    reader = read_scopes(ast.parse(source))
    found: dict[tuple[Scope, str], str] = {}
    for node, place in reader.places.items():
        names = (
            [node.id] if isinstance(node, ast.Name)
            else [alias.asname or alias.name.split(".")[0] for alias in node.names]
        )  # fmt: skip
        for name in names:
            if name == "*":
                continue
            owner = place.scope.find(name)
            kind = (
                "global" if owner is None or owner is reader.module
                else "local" if owner is place.scope
                else "free"
            )  # fmt: skip
            found[place.scope, name] = "global" if place.scope is reader.module else kind
    return Counter((scope.kind, name, kind) for (scope, name), kind in found.items())


COMPREHENSIONS = ("listcomp", "setcomp", "dictcomp", "genexpr")


def classify_there(source: str) -> Counter[tuple[str, str, str]]:
    """The same by Python's own symbol tables."""
    found: Counter[tuple[str, str, str]] = Counter()

    def walk(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
        yield table
        for child in table.get_children():
            yield from walk(child)

    for table in walk(symtable.symtable(source, "<test>", "exec")):
        kind = str(table.get_type()).removeprefix("SymbolTableType.").lower()
        if table.get_name() in COMPREHENSIONS:
            kind = "comprehension"
        for symbol in table.get_symbols():
            name = symbol.get_name()
            named = symbol.is_referenced() or symbol.is_imported() or symbol.is_assigned()
            if name.startswith(".") or not named:
                continue
            belongs = (
                "global" if kind == "module" or symbol.is_global()
                else "free" if symbol.is_free()
                else "local"
            )  # fmt: skip
            found[kind, name, belongs] += 1
    return found


def compare(source: str) -> None:
    """Compares both, for the names that stand as names; `def f` and `class C` bind without one."""
    # Annotations that are never evaluated are no names to the compiler.
    source = source.replace("from __future__ import annotations", "")
    here, there = classify_here(source), classify_there(source)
    assert here - there == Counter()
    bare = {
        node.name for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    } | {
        node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ExceptHandler)
    } | {
        # A walrus stands in a comprehension and binds outside; `super()` brings a cell of its own.
        node.target.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.NamedExpr)
    } | {"__class__"}  # fmt: skip
    assert {key for key in there - here if key[1] not in bare} <= {
        key for key in there if key[2] == "local" and key[0] == "function"
    }


@pytest.mark.parametrize("name", [name for name in CORPUS if "match" not in CORPUS[name][0]])
def test_scopes_of_the_corpus_are_those_of_the_compiler(name: str) -> None:
    compare(CORPUS[name][0])


@pytest.mark.parametrize(
    "name", ["contextlib.py", "dataclasses.py", "functools.py", "typing.py", "enum.py", "ast.py"]
)
def test_scopes_of_the_library_are_those_of_the_compiler(name: str) -> None:
    compare((Path(ast.__file__).parent / name).read_text(encoding="utf-8"))


def test_scopes_of_this_package_are_those_of_the_compiler() -> None:
    package = files("pytest_coderobust") / "migration"
    for path in sorted(Path(str(package)).glob("*.py")):
        compare(path.read_text(encoding="utf-8"))


NAMES = st.sampled_from(["a", "b", "len", "abs"])
ATOMS = st.builds("{}".format, NAMES)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("{}({})".format, inner, inner),
        st.builds("[{} for {} in {}]".format, inner, NAMES, inner),
        st.builds("{{{}: {} for {} in {} if {}}}".format, inner, inner, NAMES, inner, inner),
        st.builds("(lambda {}: {})".format, NAMES, inner),
    ),
    max_leaves=6,
)


def indent(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


STATEMENTS = st.recursive(
    st.one_of(
        st.builds("{} = {}\n".format, NAMES, EXPRESSIONS),
        st.builds("from math import floor as {}\n".format, NAMES),
        st.builds("for {} in {}: pass\n".format, NAMES, EXPRESSIONS),
    ),
    lambda inner: st.lists(inner, min_size=1, max_size=3).flatmap(
        lambda body: st.one_of(
            st.builds("def {}({}):\n{}".format, NAMES, NAMES, st.just(indent("".join(body)))),
            st.builds(
                "class {}({}):\n{}".format, NAMES, EXPRESSIONS, st.just(indent("".join(body)))
            ),
            st.just("".join(body)),
        )
    ),
    max_leaves=8,
)


@given(STATEMENTS)
def test_scopes_of_any_program_are_those_of_the_compiler(source: str) -> None:
    compare(source)
