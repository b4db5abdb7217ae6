"""Parts of a harvest: values as source, prompts, mutants, drawn values, the recorder, the barrier."""

from __future__ import annotations

import ast
import json
import math
import subprocess
import sys
from collections import deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_coderobust.errors import UsageError
from pytest_coderobust.harvest.asserting import write_tests
from pytest_coderobust.harvest.cases import HarvestCall, HarvestCase, decode_case, encode_case
from pytest_coderobust.harvest.drafts import choose_cases
from pytest_coderobust.harvest.drawing import draw_values, strategy_like, strategy_of_type
from pytest_coderobust.harvest.functions import HarvestFunction, find_functions
from pytest_coderobust.harvest.modules import SourceModule, find_modules
from pytest_coderobust.harvest.mutants import make_mutants
from pytest_coderobust.harvest.prompting import UnfitFunction, compose_prompt
from pytest_coderobust.harvest.recorder import NotPlainError, encode
from pytest_coderobust.harvest.spelling import write_value

SOURCE = '''"""A module."""
from __future__ import annotations
import math, os
from .other import gone as come
from . import sibling

LIMIT = 3
TABLE = {"limit": LIMIT}


def helper(x):
    from .other import late
    return x + TABLE["limit"]


def unused():
    """Nothing."""
    return os.sep


@staticmethod
def target(x: int) -> int:
    """Adds what the table says.

    >>> target(1)
    4
    """
    if x > math.inf:
        return come(x)
    return helper(x)


def lost():
    """Uses a name from nowhere."""
    return nowhere


async def later():
    """Waits."""
    return 1


def bare(x):
    return x


class Box:
    """A box."""

    def fill(self):
        """Fills it."""
        return super().fill()
'''
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.binary(max_size=4) | st.fractions() | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4)
    | st.tuples(inner, inner) | st.tuples(inner)
    | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    | st.frozensets(st.integers(), max_size=4) | st.sets(st.text(max_size=3), max_size=3),
    max_leaves=8,
)  # fmt: skip


def read_module(text: str) -> SourceModule:
    return SourceModule("pack.inner", "pack", Path("/pack/inner.py"), text, ast.parse(text))


def find(name: str, text: str = SOURCE) -> HarvestFunction:
    functions, _ = find_functions([read_module(text)])
    return next(each for each in functions if each.name == name)


@given(plain)
def test_written_values_are_the_values(value: Any) -> None:
    names = {"Fraction": Fraction, "Decimal": Decimal, "deque": deque}
    written = write_value(encode(value))
    assert repr(eval(written, names)) == repr(value) or eval(written, names) == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({3, 1, 2}, "{1, 2, 3}"),
        (math.inf, "float('inf')"),
        ((), "()"),
        (deque([1]), "deque([1])"),
        (frozenset[int](), "frozenset()"),
        (1 << 80, str(1 << 80)),
        (range(3), "range(0, 3, 1)"),
    ],
)
def test_values_have_one_source(value: Any, written: str) -> None:
    assert write_value(encode(value)) == written


@pytest.mark.parametrize("value", [iter([1]), [iter("a")], object(), {"a": len}])
def test_what_is_no_plain_data_is_refused_and_not_used_up(value: Any) -> None:
    with pytest.raises(NotPlainError):
        encode(value)
    if hasattr(value, "__next__"):
        assert next(value) == 1


def test_functions_are_left_out_with_reasons() -> None:
    functions, left_out = find_functions([read_module(SOURCE)])
    assert [each.qualname for each in functions] == ["unused", "target", "lost"]
    assert {each.name: each.reason for each in left_out} == {
        "pack.inner.helper": "it has no docstring",
        "pack.inner.later": "it is asynchronous",
        "pack.inner.bare": "it has no docstring",
        "pack.inner.Box.fill": "it is a method that needs its place in its class (super)",
    }


def test_a_prompt_holds_what_the_function_sees_and_no_more() -> None:
    found = compose_prompt(find("target"), first=True)
    assert found.prompt.startswith(
        "from __future__ import annotations\nimport math\nfrom pack.other import gone as come\n"
    )
    assert "\nLIMIT = 3\n" in found.prompt
    assert "    from pack.other import late\n" in found.prompt
    assert "unused" not in found.prompt
    assert "sibling" not in found.prompt
    assert found.prompt.endswith('    >>> target(1)\n    4\n    """\n')
    assert found.canonical == "    if x > math.inf:\n        return come(x)\n    return helper(x)\n"
    assert "@staticmethod" in found.prompt
    assert "@staticmethod" not in compose_prompt(find("target"), first=False).prompt
    with pytest.raises(UnfitFunction, match="nowhere"):
        compose_prompt(find("lost"), first=True)


METHODS = '''
class Box:
    """A box."""

    __slots__ = ("_held",)
    COLOUR = "red"

    def __init__(self, held):
        self._held = held

    def doubled(self):
        return [*self._held, *self._held]

    def unused(self):
        return self.COLOUR

    def longest(self, least=0):
        """The longest that it holds."""
        both = self.doubled()
        return max([len(each) for each in both] + [least])
'''


def test_a_class_of_which_nothing_is_needed_is_written_all_the_same() -> None:
    text = 'class Box:\n    def other(self):\n        return 1\n\n    def twice(self, x):\n        """Twice."""\n        return 2 * x\n'
    found = compose_prompt(find("twice", text), first=True)
    assert found.prompt == 'class Box:\n    pass\n\n\ndef twice(self, x):\n    """Twice."""\n'
    assert found.canonical == "    return 2 * x\n"


def test_a_method_stands_behind_the_members_of_its_class_that_it_needs() -> None:
    function = find("longest", METHODS)
    found = compose_prompt(function, first=True)
    assert found.prompt.startswith('class Box:\n    """A box."""\n')
    assert "def doubled" in found.prompt
    assert "__slots__" in found.prompt
    assert "unused" not in found.prompt
    assert "COLOUR" not in found.prompt
    assert found.prompt.endswith(
        'def longest(self, least=0):\n    """The longest that it holds."""\n'
    )
    whole = compose_prompt(function, first=False)
    assert "def unused" in whole.prompt
    assert whole.prompt.count("def longest") == 1
    names: dict[str, Any] = {}
    exec(found.prompt + found.canonical, names)
    case = HarvestCase(
        HarvestCall((), {"least": 2}, {"_held": ["abc"]}), value=3, state_after={"_held": ["abc"]}
    )
    assert decode_case(json.loads(json.dumps(encode_case(case)))) == case
    tests: dict[str, Any] = {}
    exec(write_tests([case], "Box"), tests)
    tests["check"](names["longest"])
    emptied: dict[str, Any] = {}
    exec(found.prompt + "    self._held = []\n    return 3\n", emptied)
    with pytest.raises(AssertionError):
        tests["check"](emptied["longest"])


def test_each_mutant_differs_in_one_place_and_parses() -> None:
    text = (
        'def f(x, y=2):\n    """Does."""\n    if x == 1 and y:\n        raise ValueError(x + 1)\n'
        "    total = [a * 2 for a in x]\n    if 0 and x:\n        y = 7\n    return total\n"
    )
    prompt = compose_prompt(find("f", text), first=True)
    mutants = make_mutants(prompt, "f", most=100)
    changes = [each.change.partition(": ")[2] for each in mutants]
    assert "x == 1 became x != 1" in changes
    assert "x == 1 and y became x == 1 or y" in changes
    assert "raise ValueError(x + 1) became pass" in changes
    assert "a * 2 became a + 2" in changes
    assert "2 became 3" in changes
    assert "return total became return None" in changes
    assert not any("7" in each or "x + 1 became" in each for each in changes)
    sources = {each.completion for each in mutants}
    assert len(sources) == len(mutants)
    for each in mutants:
        ast.parse(prompt.prompt + each.completion)
    assert make_mutants(prompt, "f", most=3) == [mutants[at * len(mutants) // 3] for at in range(3)]


@pytest.mark.parametrize(
    ("hint", "kind"),
    [(int, int), (list[int], list), (tuple[int, ...], tuple), (dict[str, int], dict),
     (set[str], set), (Literal["a", 3], (str, int)), (int | None, (int, type(None)))],
)  # fmt: skip
def test_annotations_become_values(hint: Any, kind: Any) -> None:
    strategy = strategy_of_type(hint)
    assert strategy is not None
    drawn = draw_values(strategy, 20, 1)
    assert all(isinstance(each, kind) for each in drawn)
    assert drawn == draw_values(strategy, 20, 1)


def test_annotations_of_no_plain_data_are_not_drawn() -> None:
    assert strategy_of_type(Path) is None
    assert strategy_of_type(list[Path]) is None


@settings(max_examples=20, suppress_health_check=[HealthCheck.nested_given])
@given(st.lists(plain, min_size=1, max_size=3))
def test_values_that_resemble_are_plain_data(values: list[Any]) -> None:
    for each in draw_values(strategy_like(values), 5, 2):
        encode(each)


def test_chosen_cases_reach_all_that_any_reaches() -> None:
    cases = [
        HarvestCase(HarvestCall((number,)), value=number, arcs=frozenset({(number % 7, 1)}))
        for number in range(60)
    ]
    chosen, others = choose_cases(cases, 10)
    assert len(chosen) == 10
    assert {each.call.args for each in (*chosen, *others)} == {each.call.args for each in cases}
    assert {arc for each in chosen for arc in each.arcs} == {arc for c in cases for arc in c.arcs}


def test_tests_say_values_exceptions_and_changed_arguments() -> None:
    cases = [
        HarvestCase(HarvestCall(([2, 1],), {"key": None}), value=None, after=([1, 2],)),
        HarvestCase(HarvestCall((-1,)), raised="ValueError"),
        HarvestCase(HarvestCall((2,)), value={"iter": [0.1, {"fraction": ["1", "2"]}]}),
    ]
    assert [decode_case(json.loads(json.dumps(encode_case(each)))) for each in cases] == cases
    names: dict[str, Any] = {}
    exec(write_tests(cases), names)

    def right(value: Any, key: Any = 0) -> Any:
        if value == -1:
            raise ValueError
        if value == 2:
            return iter([0.1 + 1e-17, Fraction(1, 2)])
        return value.sort()

    names["check"](right)
    for wrong in (
        lambda value, **_: sorted(value) if isinstance(value, list) else right(value),
        lambda value, **_: right(abs(value)) if value == -1 else right(value),
        lambda value, **_: [0.1] if value == 2 else right(value),
    ):
        with pytest.raises((AssertionError, AttributeError)):
            names["check"](wrong)


@pytest.mark.parametrize(
    ("name", "told"),
    [("textwarp", "did you mean 'textwrap'"), ("math", "no source"), ("a-b", "name")],
)
def test_wrong_packages_are_told(name: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        find_modules(name)


def test_the_barrier_lets_nothing_be_written(tmp_path: Path) -> None:
    victim = tmp_path / "victim.py"
    victim.write_text("whole")
    program = f"""
import os
from pytest_coderobust.harvest.cases import HarvestCall
from pytest_coderobust.harvest.barrier import Barrier
from pytest_coderobust.harvest.objects import HarvestOriginal
from pytest_coderobust.harvest.observing import UnusableCallError, observe
import subprocess, socket
def spin(_):
    while True: pass
deeds = [os.remove, lambda p: open(p, "w"), lambda p: os.open(p, os.O_WRONLY | os.O_TRUNC),
    lambda p: subprocess.run(["rm", p]), lambda p: socket.socket().connect(("127.0.0.1", 9)),
    lambda p: os.system("rm " + p), spin]
for deed in deeds:
    barrier = Barrier()
    try:
        print(observe(HarvestOriginal(deed), HarvestCall(({str(victim)!r},)), barrier, "/", recorded=False))
    except UnusableCallError as error:
        print(bool(barrier.touched), error)
"""
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    lines = found.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["True"] * 6 + ["False"]
    assert lines[-1] == "False it takes long"
    assert victim.read_text() == "whole"
