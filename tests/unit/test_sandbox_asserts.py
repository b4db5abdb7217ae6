"""Counting asserts in trusted source without changing what the source means."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from pytest_coderobust import records
from pytest_coderobust.errors import SandboxError
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.asserts import prepare
from pytest_coderobust.sandbox.judge.outcome import Outcomes
from pytest_coderobust.sandbox.judge.trial import run_tests


def run(source: str, candidate: Any, helpers: str = "") -> tuple[bool, Outcomes]:
    """Runs test source against an ordinary function of this process."""
    style: records.TestStyle = "check" if "def check(" in source else "asserts"
    tests = records.Tests(source, style, helpers)
    suite = prepare(tests)
    outcomes = Outcomes(suite.total, suite.caught)
    finished = run_tests(Check("", "f", tests), suite, outcomes, candidate)
    return finished and not outcomes.swallowed, outcomes


def test_each_assert_is_one_test_and_the_ones_after_a_failure_still_run() -> None:
    passed, outcomes = run("assert f(1) == 1\nassert f(2) == 0\nassert f(3) == 3\n", lambda x: x)
    assert not passed
    assert (outcomes.passed, len(outcomes.ran)) == (2, 3)
    assert outcomes.failure == "wrong-answer"


def test_an_assert_in_a_loop_is_one_test_and_needs_every_execution() -> None:
    source = (
        "def check(f):\n    for i in range(5):\n        assert f(i) == i\n    assert f(0) == 0\n"
    )
    assert run(source, lambda x: x)[0]
    passed, outcomes = run(source, lambda x: x if x < 4 else 0)
    assert not passed
    assert outcomes.passed == 1


def test_an_assert_in_a_helper_is_one_test() -> None:
    source = (
        "def same(a, b):\n    if a != b:\n        assert abs(a - b) < 1\n    else:\n"
        "        assert a == b\n"
        "def check(f):\n    for i in range(3):\n        same(f(i), i)\n"
    )
    passed, outcomes = run(source, lambda x: x)
    assert passed  # an assert that the run never needed does not spoil it
    assert len(outcomes.ran) == 2
    assert not run(source, lambda x: x + 1)[0]


NESTED = """
class Base:
    def check(self):
        assert True
match 1:
    case 1:
        assert True
    case _:
        assert True
for _ in ():
    pass
else:
    assert True
while False:
    assert True
with open(__file__):
    async def never():
        async for _ in ():
            assert True
if True:
    pass
elif False:
    assert True
try:
    assert True
finally:
    assert True
"""


def test_an_assert_is_found_wherever_a_statement_can_stand() -> None:
    suite = prepare(records.Tests(NESTED, "asserts"))
    assert suite.total == NESTED.count("assert") == 9
    assert suite.sources == ("True",) * 9
    assert not suite.caught


@pytest.mark.skipif(sys.version_info < (3, 11), reason="except* is Python 3.11's")
def test_a_failure_that_a_group_of_handlers_catches_is_no_failure() -> None:
    source = "try:\n    assert f(2) == 3\nexcept* AssertionError:\n    pass\nassert f(1) == 1\n"
    assert run(source, lambda x: x)[0]


def test_a_failure_the_source_catches_is_no_failure() -> None:
    source = (
        "try:\n    f(1)\n    assert False\nexcept ValueError:\n    pass\n"
        "try:\n    assert f(2) == 3\nexcept AssertionError:\n    pass\n"
    )

    def refuse(x: int) -> int:
        if x == 1:
            raise ValueError(x)
        return x

    assert run(source, refuse)[0]
    passed, outcomes = run(source, lambda x: x)
    assert not passed
    assert outcomes.passed == 0


def test_an_error_outside_an_assert_ends_the_run_and_is_no_pass() -> None:
    passed, outcomes = run("assert f(1) == 1\nvalue = f(2)[0]\nassert value\n", lambda x: x)
    assert not passed
    assert outcomes.passed == 1
    assert outcomes.detail.startswith("TypeError")


def test_source_without_asserts_is_one_test() -> None:
    assert run("if f(1) != 1:\n    raise ValueError\n", lambda x: x)[0]
    passed, outcomes = run("if f(1) != 1:\n    raise ValueError\n", lambda _x: 0)
    assert not passed
    assert (outcomes.passed, len(outcomes.ran)) == (0, 1)


def test_helpers_run_first_and_the_entry_point_stays_ours() -> None:
    helpers = "def g(x):\n    return x + 1\ndef f(x):\n    return -1\n"
    assert run("assert f(g(1)) == 2\n", lambda x: x, helpers)[0]


def test_drawn_inputs_are_the_same_in_every_run() -> None:
    drawn: list[float] = []
    source = "import random\nassert f(random.random()) is None\n"
    run(source, drawn.append)
    run(source, drawn.append)
    assert drawn[0] == drawn[1]


def test_tests_that_are_no_python_are_the_data_sets_fault() -> None:
    with pytest.raises(SandboxError, match="not valid Python"):
        prepare(records.Tests("assert (", "asserts"))


PLUS = """
import math
def is_floats(x):
    return isinstance(x, float) or (isinstance(x, (list, tuple)) and all(map(is_floats, x)))
def assertion(out, exp, atol):
    exact_match = out == exp
    if atol == 0 and is_floats(exp):
        atol = 1e-6
    if not exact_match and atol != 0:
        assert type(out) == type(exp)
        assert math.isclose(out, exp, rel_tol=1e-07, abs_tol=atol)
    else:
        assert exact_match
def check(candidate):
    inputs = [[1.0], [2.0], [3.0]]
    results = [0.1, 0.2, 0.3]
    for i, (inp, exp) in enumerate(zip(inputs, results)):
        assertion(candidate(*inp), exp, 0)
"""


def test_input_output_loops_with_a_tolerance_count_their_asserts() -> None:
    passed, outcomes = run(PLUS, lambda x: x / 10 + 1e-9)
    assert passed
    assert len(outcomes.ran) == 3
    passed, outcomes = run(PLUS, lambda x: x / 10 if x < 3 else 7.0)
    assert not passed
    assert outcomes.passed == 2  # the type is right, and the exact ones were
    assert not run(PLUS, lambda _x: 1 // 0)[0]
