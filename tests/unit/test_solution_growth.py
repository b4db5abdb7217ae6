"""Extraction takes time in proportion to the completion, whatever the completion is.

Counted, not timed: the lines of Python that run, and the characters that Python's own parser reads.
"""

from __future__ import annotations

import ast
import symtable
import sys
from collections.abc import Callable
from typing import Any

import pytest

from pytest_coderobust.models.extraction.solution import extract
from pytest_coderobust.records import Language, Task, Tests

PROMPT = 'def total(values):\n    """Add them up."""\n'
TASK = Task("T/0", PROMPT, "total", Tests("", "asserts"))

SHAPES: dict[str, Callable[[int], str]] = {
    "a long body": lambda n: "    x = [1]\n" * n + "    return x\n",
    "a body at the margin": lambda n: "x = [1]\n" * n + "return x\n",
    "helpers": lambda n: (
        "    return f0(values)\n"
        + "".join(f"def f{i}(x):\n    return f{i + 1}(x)\n" for i in range(n))
    ),
    "helpers nobody needs": lambda n: "    return 1\n" + "def f(x):\n    return g(x)\n" * n,
    "the function again and again": lambda n: ("def total(values):\n    return 1\n\n") * n,
    "prose": lambda n: "This isn't (Python at all, it's prose.\n" * n,
    "prose after the body": lambda n: "    return 1\n" + "    Isn't it (so?\n" * n,
    "errors one after another": lambda n: "    x = 1\n" + "    x = (\n    y y\n" * n,
    "unfinished ifs": lambda n: (
        "    x = 1\n" * n + "".join("    " + " " * depth + "if x:\n" for depth in range(60))
    ),
    "fences": lambda n: "```python\nx = 1\n```\nso\n" * n,
    "open fences": lambda n: "````\n```\n" * n,
    "one fence": lambda n: "```" + " " * 10 * n + "`\n",
    "open brackets": lambda n: "    return " + "(" * 10 * n,
    "open strings": lambda n: "    x = '''\n" * n,
    "apostrophes": lambda n: "    '" * n,
    "blank lines": lambda n: "\n" * 10 * n + "return 1",
    "decorators": lambda n: "    return 1\n" + "@a\n" * n,
    "else": lambda n: "    return 1\nif x:\n    pass\n" + "else:\n\n" * n,
    "one line": lambda n: "    x = '" + "a" * 10 * n,
    "end markers": lambda n: "</s>   " * n + "x",
    "loops that fill a table": lambda n: (
        "t = {}\n" + "for i in range(3):\n    t[i] = i\n" * n + "def total(v):\n    return t[v]\n"
    ),
    "calls through helpers": lambda n: (
        "t = []\ndef g0():\n    t.append(1)\n"
        + "".join(f"def g{i}():\n    g{i - 1}()\ng{i}()\n" for i in range(1, n))
        + "def total(v):\n    return t\n"
    ),
    "tables of tables": lambda n: (
        "t0 = {}\n"
        + "".join(f"t{i} = {{}}\nt{i - 1}[0] = t{i}\n" for i in range(1, n))
        + "def total(v):\n    return t0\n"
    ),
    "examples": lambda n: "def total(v):\n    return v\n" + "x = total(1)\nprint(x)\n" * n,
    "functions nobody needs": lambda n: (
        "def total(v):\n    return v\n" + "".join(f"def g{i}(): return {i}\n" for i in range(n))
    ),
    "drafts": lambda n: "```python\ndef total(v):\n    return g(v)\n```\nno\n" * n,
    "blocks of helpers": lambda n: (
        "".join(f"```python\ndef g{i}():\n    return g{i + 1}()\n```\n" for i in range(n))
        + "```python\ndef total(v):\n    return g0()\n```\n"
    ),
    "thoughts": lambda n: "<think>so</think>\n" * n + "    return 1\n",
    "quotes in a line with a tag": lambda n: "<think>" + "\\'" * 10 * n + "</think>",
    "tabs": lambda n: "\tx = 1\n  \ty = 2\n" * n,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_text_is_twice_the_work(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = parsed_characters(monkeypatch)
    work = []
    # Above a thousand statements definitions are parsed a second time: both sizes are.
    for size in (600, 1200) if shape == "calls through helpers" else (300, 600):
        before = sum(read)
        lines = lines_run(SHAPES[shape](size))
        work.append((lines, sum(read) - before))
    (small_lines, small_read), (large_lines, large_read) = work
    assert large_lines <= 2.2 * small_lines + 200
    assert large_read <= 2.2 * small_read + 200
    # Six repairs and eight trims at most, each read once, and the blocks of one of them.
    assert large_read <= 20 * (len(SHAPES[shape](size)) + len(PROMPT) + 100)


BRACES = {
    "a long body": lambda n: "    x = 1;\n" * n + "    return x;\n}\n",
    "open braces": lambda n: "{" * n,
    "closed braces": lambda n: "}" * n,
    "the function again and again": lambda n: "int total(int v) {\nreturn 1;\n}\n" * n,
    "heads that open nothing": lambda n: "int total(\n" * n,
    "open strings": lambda n: '"\\"' * n,
    "open characters": lambda n: "'\\'" * n,
    "open comments": lambda n: "/*" * n,
    "open raw strings": lambda n: 'R"a(' * n,
    "open text blocks": lambda n: '"""\n' * n,
    "directives": lambda n: "#if {\n" * n,
    "members": lambda n: "return 1; }\n" + "int f() { return 1; }\n" * n,
}


@pytest.mark.parametrize("language", ["cpp", "java"])
@pytest.mark.parametrize("shape", BRACES)
def test_in_languages_of_braces_too(shape: str, language: Language) -> None:
    prompt = "class Solution {\n/** Add them up. */\npublic int total(int v) {\n"
    task = Task("T/1", prompt, "total", Tests("", "compiled"), language=language)
    small, large = (lines_run(BRACES[shape](size), task) for size in (300, 600))
    assert large <= 2.2 * small + 200


def parsed_characters(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lengths of what is given to Python's parser, as they come."""
    found: list[int] = []

    def count(original: Callable[..., Any]) -> Callable[..., Any]:
        def counting(source: str, *rest: Any) -> Any:
            found.append(len(source))
            return original(source, *rest)

        return counting

    monkeypatch.setattr(symtable, "symtable", count(symtable.symtable))
    monkeypatch.setattr(ast, "parse", count(ast.parse))
    return found


def lines_run(completion: str, task: Task = TASK) -> int:
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        extract(completion, task)
    finally:
        sys.settrace(before)
    return count
