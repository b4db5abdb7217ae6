"""Calls of `numpy.testing` and its like as statements: each is a test of its own."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

from pytest_coderobust.engine.keys import make_verdict_key
from pytest_coderobust.errors import DataError
from pytest_coderobust.records import Tests
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.asserting_calls import asserts, find_asserting_names
from pytest_coderobust.sandbox.judge.asserts import prepare, write_guarded
from pytest_coderobust.sandbox.judge.outcome import Outcomes
from pytest_coderobust.sandbox.judge.trial import run_tests
from pytest_coderobust.tasks.humaneval import read_humaneval
from pytest_coderobust.tasks.rows import DataRow


def read_last(source: str) -> bool:
    tree = ast.parse(source)
    last = tree.body[-1]
    assert isinstance(last, ast.Expr)
    return asserts(last.value, find_asserting_names([tree]))


@pytest.mark.parametrize(
    "source",
    [
        "np.testing.assert_equal(f(1), 1)",
        "pandas.testing.assert_frame_equal(f(x), y)",
        "import numpy.testing as npt\nnpt.assert_allclose(f(1), 1)",
        "from numpy import testing\ntesting.assert_equal(f(1), 1)",
        "from numpy import testing as t\nt.assert_equal(f(1), 1)",
        "from numpy.testing import assert_equal\nassert_equal(f(1), 1)",
        "def check(f):\n    from numpy.testing import assert_equal as same\nsame(f(1), 1)",
    ],
)
def test_a_call_that_asserts_is_known(source: str) -> None:
    assert read_last(source)


@pytest.mark.parametrize(
    "source",
    [
        "np.testing.suppress_warnings()",
        "assert_equal(f(1), 1)",
        "helper.assert_equal(f(1), 1)",
        "from helpers import assert_equal\nassert_equal(f(1), 1)",
        "from testing import assert_equal\nassert_equal(f(1), 1)",
        "np.testing.assert_equal",
        "from numpy.testing import suppress_warnings\nsuppress_warnings()",
    ],
)
def test_other_calls_are_no_tests(source: str) -> None:
    assert not read_last(source)


def run(source: str, candidate: Callable[[int], int], helpers: str = "") -> Outcomes:
    tests = Tests(source, "check", helpers)
    suite = prepare(tests)
    outcomes = Outcomes(suite.total, suite.caught)

    run_tests(Check("", "f", tests), suite, outcomes, candidate)
    return outcomes


SOURCE = """
def check(f):
    np.testing.assert_equal(f(1), 1)
    assert f(2) == 2
    for i in range(3):
        np.testing.assert_equal(f(i), i)
"""
HELPERS = """
class np:
    class testing:
        @staticmethod
        def assert_equal(actual, desired):
            if actual != desired:
                raise AssertionError(f"{actual} is not {desired}")
"""


def test_a_failed_call_hides_none_behind_it() -> None:
    outcomes = run(SOURCE, lambda value: value, HELPERS)
    assert (outcomes.passed, len(outcomes.ran)) == (3, 3)
    outcomes = run(SOURCE, lambda value: max(value, 2), HELPERS)
    assert (outcomes.passed, len(outcomes.ran)) == (1, 3)


def test_calls_are_named_and_written_with_their_guards() -> None:
    tests = Tests(SOURCE, "check", HELPERS)
    assert prepare(tests).sources[0] == "np.testing.assert_equal(f(1), 1)"
    assert write_guarded(tests).count("with __guards__") == 3


def test_imports_of_helpers_count() -> None:
    source = "def check(f):\n    same(f(1), 1)\n    same(f(2), 2)\n"
    assert (
        prepare(Tests(source, "check", "from numpy.testing import assert_equal as same")).total == 2
    )
    assert prepare(Tests(source, "check", "from helpers import same  # testing")).total == 1


def test_only_keys_of_such_tests_have_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Check("x = 1", "f", Tests("assert f(1) == 1", "asserts"))
    testing = Check("x = 1", "f", Tests("np.testing.assert_equal(f(1), 1)", "asserts"))
    before = [make_verdict_key(check, "ns") for check in (plain, testing)]
    monkeypatch.setattr("pytest_coderobust.engine.keys.TESTING_VERSION", "testing-9")
    after = [make_verdict_key(check, "ns") for check in (plain, testing)]
    assert (before[0] == after[0], before[1] == after[1]) == (True, False)


def test_a_task_may_have_such_calls_alone() -> None:
    row = {
        "task_id": "A/0",
        "prompt": "def f(x):\n",
        "entry_point": "f",
        "test": "np.testing.assert_equal(f(1), 1)\n",
    }
    task = read_humaneval(DataRow(row, "tasks.jsonl"), "docstring")
    assert task.tests.style == "asserts"
    row["test"] = "print(f(1))\n"
    with pytest.raises(DataError, match="nor an assert"):
        read_humaneval(DataRow(row, "tasks.jsonl"), "docstring")
