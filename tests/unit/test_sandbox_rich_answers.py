"""Answers that only their own process can show: fields, methods and identity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_coderobust import records
from pytest_coderobust.records import Level, Limits, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.calibration import calibrate, calibrate_like, is_beyond
from pytest_coderobust.sandbox.check import Check, Sandbox

LIMITS = Limits(cpu_seconds=1)


@dataclass(frozen=True, slots=True)
class Rich:
    """A task whose answers are rich: its solution, a wrong one, and how many tests that passes."""

    solution: str
    right: str
    wrong: str
    tests: str
    passed: int = 1

    def make_check(self, *, wrong: bool = False) -> Check:
        solution = self.solution.replace(self.right, self.wrong) if wrong else self.solution
        return Check(solution, "f", records.Tests(self.tests, "asserts"), LIMITS)


RICH = {
    "namedtuple": Rich(
        "from collections import namedtuple\nPoint = namedtuple('Point', 'x y')\n"
        "def f(a, b):\n    return Point(a, b)\n",
        "Point(a, b)",
        "Point(b, a)",
        "assert f(1, 1).x == 1\nassert f(1, 2).y == 2\nassert f(1, 2)._replace(x=5) == (5, 2)\n",
    ),
    "counter": Rich(
        "from collections import Counter\ndef f(text):\n    return Counter(text)\n",
        "Counter(text)",
        "Counter(text[1:])",
        "assert f('baa').most_common(1) == [('a', 2)]\nassert f('ab')['a'] == 1\n",
    ),
    "defaultdict": Rich(
        "from collections import defaultdict\ndef f(n):\n    found = defaultdict(list)\n"
        "    found[n].append(n)\n    return found\n",
        ".append(n)",
        ".append(0)",
        "assert f(1)['absent'] == []\nassert f(1)[1] == [1]\n",
    ),
    "dataclass": Rich(
        "from dataclasses import dataclass, replace\n@dataclass\nclass Money:\n"
        "    units: int\n    currency: str = 'EUR'\n"
        "def f(n):\n    return [Money(n), {'more': Money(n + 1)}]\n",
        "Money(n + 1)",
        "Money(n)",
        "assert f(2)[0].currency == 'EUR'\nassert f(2)[1]['more'].units == 3\n",
    ),
    "own class": Rich(
        "class Stack:\n    def __init__(self):\n        self.items = []\n"
        "    def push(self, item):\n        self.items.append(item)\n        return self\n"
        "    def pop(self):\n        return self.items.pop()\n"
        "    def __len__(self):\n        return len(self.items)\n"
        "def f():\n    return Stack()\n",
        "self.items.pop()",
        "self.items.pop(0)",
        "assert len(f().push(1)) == 1\nassert f().push(1).push(2).pop() == 2\n",
    ),
    "own list": Rich(
        "class Row(list):\n    def total(self):\n        return sum(self)\n"
        "def f(*numbers):\n    return Row(numbers)\n",
        "sum(self)",
        "len(self)",
        "assert f(1, 2) == [1, 2]\nassert f(1, 2).total() == 3\n",
    ),
    "generator": Rich(
        "def f(n):\n    total = 0\n    while True:\n        total += (yield total) or n\n",
        "total += ",
        "total = ",
        "run = f(1)\nassert next(run) == 0\nassert run.send(5) == 5\nassert next(run) == 6\n",
        2,
    ),
    "own iterator": Rich(
        "class Steps:\n    left = 3\n    def __iter__(self):\n        return self\n"
        "    def __next__(self):\n        self.left -= 1\n        if self.left < 0:\n"
        "            raise StopIteration\n        return self.left\n"
        "def f():\n    return Steps()\n",
        "left -= 1",
        "left -= 2",
        "assert next(f()) in (1, 2)\nassert f().left == 3 and list(f()) == [2, 1, 0]\n",
    ),
    "singleton": Rich(
        "class Config:\n    pass\n_CONFIG = Config()\ndef f(x):\n"
        "    return _CONFIG if x else None\n",
        "_CONFIG if x",
        "Config() if x",
        "assert f(1) is _CONFIG\nassert f(0) is None\n",
    ),
    "the argument itself": Rich(
        "def f(items):\n    items.append(1)\n    return items\n",
        "return items",
        "return [*items]",
        "given = [0]\nassert f(given) is given\nassert given == [0, 1]\n",
    ),
    "enum": Rich(
        "from enum import IntEnum\nclass Level(IntEnum):\n    LOW = 1\n    HIGH = 2\n"
        "def f(n):\n    return Level.HIGH if n > 5 else Level.LOW\n",
        "n > 5",
        "n > 9",
        "assert f(1).name == 'LOW'\nassert f(7).name == 'HIGH'\n",
    ),
    "attributes of the function": Rich(
        "from functools import lru_cache\n@lru_cache\ndef f(n):\n    return n + 1\n",
        "n + 1",
        "n",
        "assert f(1) == 2\nassert f(1) and f.cache_info().hits == 1\n",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(1) as opened:
        yield opened


def judge_all(sandbox: Sandbox, checks: Sequence[Check]) -> list[Verdict]:
    return [sandbox.submit(check).result(timeout=60) for check in checks]


@pytest.mark.parametrize("kind", RICH)
def test_a_rich_answer_stays_what_it_is_in_its_process(sandbox: Sandbox, kind: str) -> None:
    rich = RICH[kind]
    ((check, verdict),) = calibrate([rich.make_check()], lambda some: judge_all(sandbox, some))
    assert (check.in_process, verdict.full, verdict.in_process) == (True, True, True), verdict
    wrong = calibrate_like(rich.make_check(wrong=True), check)
    assert wrong.solution != check.solution
    (found,) = judge_all(sandbox, [wrong])
    assert (found.level, found.passed) == (Level.PARTIAL, rich.passed), found
    assert found.failure == "wrong-answer"


LEAVES = st.sampled_from(
    ["0", "'a'", "Point(1, [2])", "Counter('aab')", "defaultdict(list)", "Own()", "Row([1])", "len"]
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(inner, min_size=1, max_size=3).map(lambda items: f"({', '.join(items)},)"),
        inner.map(lambda item: f"{{'k': {item}}}"),
        inner.map(lambda item: f"Point({item}, {item})"),
    ),
    max_leaves=5,
)
CLASSES = """
from collections import Counter, defaultdict, namedtuple
Point = namedtuple("Point", "x y")
class Own: pass
class Row(list): pass
"""


@settings(max_examples=50, deadline=None)
@given(VALUES)
def test_any_answer_is_the_same_object_there(sandbox: Sandbox, value: str) -> None:
    source = f"{CLASSES}\nVALUE = {value}\ndef f():\n    return VALUE\n"
    tests = records.Tests("assert f() is VALUE\nassert type(f()) is type(VALUE)\n", "asserts")
    (found,) = judge_all(sandbox, [Check(source, "f", tests, LIMITS, in_process=True)])
    assert found.full, found


BEYOND = {
    "a field": ("namedtuple", "solution.Point"),
    "a method": ("counter", "collections.Counter"),
    "an object": ("own class", "solution.Stack"),
    "more of an iterator than its items": ("own iterator", "solution.Steps"),
}


@pytest.mark.parametrize("kind", BEYOND)
def test_outside_the_limit_is_named_and_not_the_answer(sandbox: Sandbox, kind: str) -> None:
    rich, name = BEYOND[kind]
    (found,) = judge_all(sandbox, [RICH[rich].make_check()])
    assert found.failure == "protocol", found
    assert f"a {name} leaves the solution's process as plain data only" in found.detail
    assert is_beyond(found)


def test_outside_an_attribute_of_the_function_is_named(sandbox: Sandbox) -> None:
    (found,) = judge_all(sandbox, [RICH["attributes of the function"].make_check()])
    assert (found.passed, found.failure) == (1, "protocol")
    assert "the tests read 'cache_info' of the function" in found.detail
    asks = records.Tests("assert f(1) == (2 if hasattr(f, 'cache_info') else 1)\n", "asserts")
    (found,) = judge_all(sandbox, [Check("def f(x):\n    return x\n", "f", asks, LIMITS)])
    assert found.full


def test_outside_identity_is_named(sandbox: Sandbox) -> None:
    (found,) = judge_all(sandbox, [RICH["the argument itself"].make_check()])
    assert found.failure == "protocol"
    assert "which object an answer is cannot be told outside" in found.detail


@pytest.mark.parametrize(
    ("solution", "tests"),
    [
        ("def f(x):\n    return [x]\n", "assert f(1).x == 1\n"),  # nothing was lost on the way
        ("def f(x):\n    return x\n", "assert f(1) is None\n"),
        ("def f(x):\n    return x\n", "assert type(f(1)) is not int\n"),
        ("from collections import Counter\ndef f(x):\n    return Counter()\n", "assert f(1) == {1: 1}\n"),
        ("class Yes:\n    __eq__ = lambda *_: True\ndef f(x):\n    return Yes()\n", "assert f(1) == 1\n"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_the_solutions(sandbox: Sandbox, solution: str, tests: str) -> None:
    check = Check(solution, "f", records.Tests(tests, "asserts"), LIMITS)
    (found,) = judge_all(sandbox, [check])
    assert (found.level, found.failure) == (Level.LOAD, "wrong-answer"), found
    assert not is_beyond(found)


def test_a_task_at_fault_is_told_from_one_beyond_the_sandbox(sandbox: Sandbox) -> None:
    point = RICH["namedtuple"]
    network = "import socket\n" + point.solution.replace("return", "socket.socket()\n    return")
    package = f"import no_such_package\n{point.solution}"
    canonicals = [
        point.make_check(wrong=True),
        Check(network, "f", point.make_check().tests, LIMITS),
        Check(package, "f", point.make_check().tests, LIMITS),
        Check("def f(x):\n    return x\n", "f", records.Tests("assert f(1) == 2\n", "asserts")),
    ]
    found = calibrate(canonicals, lambda some: judge_all(sandbox, some))
    assert [check for check, _ in found] == canonicals
    assert [is_beyond(verdict) for _, verdict in found] == [False, True, True, False]
    # The first failure outside was the harness's, so the verdict inside is the one that counts.
    assert (found[0][1].in_process, found[0][1].failure) == (True, "wrong-answer")
    assert "f(1, 2).y == 2" in found[0][1].detail
    assert not found[3][1].in_process


def test_the_name_of_a_type_is_the_solutions_and_harmless(sandbox: Sandbox) -> None:
    solution = (
        "def f(x):\n    kind = type('A\\x1b[31m\\n' + 'B' * 5000, (dict,), {})\n    return kind()\n"
    )
    check = Check(solution, "f", records.Tests("assert f(1).x\n", "asserts"), LIMITS)
    (found,) = judge_all(sandbox, [check])
    assert found.failure == "protocol"
    assert found.detail.isprintable()
    assert len(found.detail) < 800
