"""Needs of a solution besides its function: statements that bind its names or change them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_coderobust.models.extraction.solution import extract, extract_program, read_solution
from pytest_coderobust.records import AnswerReading, Task, Tests

PROMPT = 'def f(n):\n    """Compute it."""\n'
TASK = Task("T/0", PROMPT, "f", Tests("", "asserts"))


@pytest.fixture(autouse=True)
def recursion_limit() -> Iterator[None]:
    before = sys.getrecursionlimit()
    yield
    sys.setrecursionlimit(before)


def run(answer: str) -> Any:
    """The entry point of the solution, loaded as the sandbox would."""
    namespace: dict[str, Any] = {"__name__": "solution", "input": forbidden, "print": forbidden}
    exec(compile(extract(answer, TASK), "solution", "exec", dont_inherit=True), namespace)
    return namespace["f"]


def forbidden(*arguments: object) -> None:
    raise AssertionError(f"the solution ran what stands beside the function: {arguments}")


@pytest.mark.parametrize(
    "answer",
    [
        "t = [0] * 9\nfor i in range(9):\n    t[i] = i * i\n\ndef f(n):\n    return t[n]\n",
        "t = {}\nt.update({3: 9})\n\ndef f(n):\n    return t[n]\n",
        "t = []\ni = 0\nwhile i < 9:\n    t.append(i * i)\n    i += 1\n\ndef f(n):\n    return t[n]\n",
        "t = [9] * 5\ndel t[4]\nt[3:] = [9]\n\ndef f(n):\n    return t[-1] * (len(t) == 4)\n",
        "t = {}\n\ndef fill():\n    t[3] = 9\n\nfill()\n\ndef f(n):\n    return t[n]\n",
        (
            "t = {}\ndef put(k):\n    t[k] = k * k\ndef fill():\n    for k in range(5):\n"
            "        put(k)\nfill()\ndef f(n):\n    return t[n]\n"
        ),
        (
            "t = None\ndef fill():\n    global t\n    t = [0, 1, 4, 9]\n\nfill()\n\n"
            "def f(n):\n    return t[n]\n"
        ),
        "import heapq\nt = [16]\nheapq.heappush(t, 9)\n\ndef f(n):\n    return t[0]\n",
        "class C:\n    pass\n\nC.value = 9\n\ndef f(n):\n    return C.value\n",
        "def f(n):\n    return f.table[n]\n\nf.table = {3: 9}\n",
        "def f(n):\n    return f.table[n]\n\nsetattr(f, 'table', {3: 9})\n",
        (
            "known = []\ndef register(g):\n    known.append(g)\n    return g\n\n"
            "@register\ndef square(n):\n    return n * n\n\ndef f(n):\n    return known[0](n)\n"
        ),
        (
            "class Base:\n    pass\n\nclass Square(Base):\n    def of(self, n):\n        return n * n\n"
            "\ndef f(n):\n    return Base.__subclasses__()[-1]().of(n)\n"
        ),
        (
            "import random\nrandom.seed(5)\nexpected = random.random()\nrandom.seed(5)\n\n"
            "def f(n):\n    return 9 if random.random() == expected else 0\n"
        ),
        (
            "from decimal import Decimal, getcontext\ngetcontext().prec = 1\n\n"
            "def f(n):\n    return int(Decimal('9.4') + 0)\n"
        ),
        (
            "import sys\nsys.setrecursionlimit(9000)\n\ndef f(n):\n"
            "    def down(k):\n        return down(k - 1) if k else n * n\n    return down(5000)\n"
        ),
        (
            "from sys import setrecursionlimit\ntry:\n    setrecursionlimit(9000)\nexcept Exception:\n"
            "    raise\n\ndef f(n):\n"
            "    def down(k):\n        return down(k - 1) if k else n * n\n    return down(5000)\n"
        ),
        "def g(n):\n    return n * n\n\ndef f(n):\n    return eval('g(n)')\n",
        "import math\n\ndef f(n):\n    return round(eval('math.pow(n, 2)'))\n",
        "def g_3():\n    return 9\n\ndef f(n):\n    return globals()[f'g_{n}']()\n",
    ],
)
@pytest.mark.parametrize("chat", ["{}", "Here it is:\n```python\n{}```\nDone.\n"])
def test_what_changes_a_kept_name_is_kept(answer: str, chat: str) -> None:
    assert run(chat.replace("{}", answer))(3) == 9


@pytest.mark.parametrize(
    "answer",
    [
        "f = lambda n: n * n\n",
        "f: object = lambda n: n * n\n",
        "from functools import partial\nf = partial(pow, exp=2)\n",
        "def square(n):\n    return n * n\n\nf = square\n",
        "import operator\nf = operator.methodcaller('__pow__', 2)\n",
        "from functools import lru_cache\ndef g(n):\n    return n * n\nf = lru_cache(None)(g)\n",
        "from functools import lru_cache\ndef f(n):\n    return n * n\nf = lru_cache(None)(f)\n",
        "if True:\n    def f(n):\n        return n * n\nelse:\n    f = None\n",
        "try:\n    from nowhere import f\nexcept ImportError:\n    def f(n):\n        return n * n\n",
        "import sys\nif sys.version_info > (3,):\n    f = lambda n: n * n\n",
        "from math import isqrt as f\nf = (lambda n: n * n) if f(4) == 2 else None\n",
        "class f:\n    def __new__(cls, n):\n        return n * n\n",
    ],
)
@pytest.mark.parametrize("after", ["", "\nprint(f(3))\n", "\nassert f(2) == 4\n"])
@pytest.mark.parametrize("chat", ["{}", "Here it is:\n```python\n{}```\nDone.\n"])
def test_an_entry_point_may_be_bound_in_any_way(answer: str, after: str, chat: str) -> None:
    assert run(chat.replace("{}", answer + after))(3) == 9


def test_a_continuation_may_be_wrapped_after_it() -> None:
    body = "    return n * n\n\n\nimport functools\nf = functools.lru_cache(None)(f)\n"
    assert run(body)(3) == 9
    assert hasattr(run(body), "cache_info")
    filled = "    return t[n]\n\n\nt = {}\nfor i in range(5):\n    t[i] = i * i\nprint(f(3))\n"
    assert run(filled)(3) == 9


@pytest.mark.parametrize(
    "answer",
    [
        "f = n * n\nreturn f\n",
        "f = [n]\nfor i in range(n - 1):\n    f.append(n)\nreturn sum(f)\n",
        "if n:\n    f = n * n\nreturn f\n",
    ],
)
def test_a_variable_of_that_name_in_a_body_is_no_function(answer: str) -> None:
    assert run(answer)(3) == 9


SERVES = "t = {}\nt[3] = 9\n\ndef f(n):\n    return t[n]\n"


@pytest.mark.parametrize(
    "example",
    [
        "print(f(3))\n",
        "n = int(input())\nprint(f(n))\n",
        "assert f(3) == 10\n",
        "if __name__ == '__main__':\n    t[3] = 10\n    print(f(3))\n",
        "for i in range(3):\n    print(f(i))\n",
        "import sys\nfor line in sys.stdin:\n    t[int(line)] = f(int(line))\n",
        "t[3] = int(input())\n",
        "def main():\n    t[3] = int(input())\n\nmain()\n",
        "result = f(4)\n",
        "import sys\nsys.exit(f(3))\n",
        "import unittest\nunittest.main()\n",
        "import missing_package\nmissing_package.show(f)\n",
    ],
)
def test_what_cannot_serve_the_function_is_dropped_and_told(example: str) -> None:
    answer = f"{SERVES}\n{example}"
    assert run(answer)(3) == 9
    told = "".join(read_solution(answer, TASK).dropped)
    assert example.strip().split("\n")[-1] in told
    assert "def f" not in told


def test_nothing_is_told_where_nothing_is_dropped() -> None:
    assert read_solution(SERVES, TASK).dropped == ()
    assert extract(SERVES, TASK) == SERVES


def test_one_answer_is_one_program() -> None:
    """A draft's function is in no part of the last block's program, but its helper may be."""
    draft = "def half(n):\n    return n / 2\n\ndef f(n):\n    return 0\n"
    final = "def f(n):\n    return int(half(2 * n)) ** 2\n"
    chat = f"```python\n{draft}```\nBetter:\n```python\n{final}```\n"
    solution = extract(chat, TASK)
    assert solution.count("def f") == 1
    assert run(chat)(3) == 9
    alone = f"```python\n{draft}```\nor\n```python\ndef f(n):\n    return broken(n)\n```\n"
    with pytest.raises(NameError):
        run(alone)(3)


def test_a_helper_may_come_behind_its_function() -> None:
    chat = (
        "```python\ndef f(n):\n    return g(n)\n```\nwith\n"
        "```python\ndef g(n):\n    return n * n\n\nprint(f(2))\n```\n"
    )
    assert run(chat)(3) == 9


def test_the_first_block_where_the_suite_says_so() -> None:
    chat = "```python\ndef f(n):\n    return 1\n```\n\n```python\ndef f(n):\n    return 2\n```\n"
    assert "return 2" in extract(chat, TASK)
    first = extract(chat, TASK, reading=AnswerReading(block="first"))
    assert "return 1" in first
    assert "return 2" not in first


@pytest.mark.parametrize(
    "usage",
    [
        "from solution import f\nprint(f(3))\n",
        "print(f(3))\n",
        "f = f(3)\nprint(f)\n",
        "import f\n",
    ],
)
def test_a_block_that_uses_the_function_is_not_the_answer(usage: str) -> None:
    chat = f"```python\ndef f(n):\n    return n * n\n```\nUse it:\n```python\n{usage}```\n"
    assert run(chat)(3) == 9


def test_a_recorded_program_is_read_like_a_completion() -> None:
    program = "def f(n):\n    return n * n\nprint(f(3))\n"
    assert extract_program(program, TASK, "raw") == program
    assert extract_program(program, TASK) == extract(program, TASK)
    assert extract_program(f"{PROMPT}    return 9\n", TASK) == f"{PROMPT}    return 9\n"


def test_statements_that_are_valid_alone_and_not_together_are_no_solution() -> None:
    answer = "t = 0\nglobal t; t = 1\n\ndef f(n):\n    return n * t\n"
    with pytest.raises(SyntaxError):
        compile(answer, "answer", "exec")
    compile(extract(answer, TASK), "solution", "exec")
