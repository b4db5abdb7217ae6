"""Tests that cannot be split from the solution: found by calibration, judged in its process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from pytest_coderobust import records
from pytest_coderobust.records import ApiChange, ApiUse, Level, Limits, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.calibration import calibrate
from pytest_coderobust.sandbox.check import Check, Sandbox

LIMITS = Limits(cpu_seconds=1)
# MBPP/601's shape: the tests build the solution's own class.
PAIR = """
class Pair:
    def __init__(self, a, b):
        self.a, self.b = a, b
def longest(pairs):
    return max((pair.b - pair.a for pair in pairs), default=0)
"""
PAIR_TESTS = "assert longest([Pair(1, 4), Pair(2, 3)]) == 3\nassert longest([]) == 0\n"
LAMBDA = "def apply(f, x):\n    return f(x)\n"
LAMBDA_TESTS = "assert apply(lambda x: x + 1, 2) == 3\n"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(1) as opened:
        yield opened


def check_of(solution: str, source: str, entry: str = "f", *, inside: bool = True) -> Check:
    style: records.TestStyle = "check" if "def check(" in source else "asserts"
    tests = records.Tests(source, style)
    return Check(solution, entry, tests, LIMITS, in_process=inside)


def run_check(sandbox: Sandbox, *arguments: str) -> Verdict:
    verdict = sandbox.submit(check_of(*arguments)).result(timeout=60)
    assert verdict.in_process  # whatever it says, it is labelled
    return verdict


def test_calibration_tells_which_tests_can_be_split(sandbox: Sandbox) -> None:
    def judge(checks: Sequence[Check]) -> list[Verdict]:
        return [sandbox.submit(check).result(timeout=60) for check in checks]

    canonicals = [
        check_of("def f(x): return x + 1", "assert f(1) == 2", inside=False),
        check_of(PAIR, PAIR_TESTS, "longest", inside=False),
        check_of(LAMBDA, LAMBDA_TESTS, "apply", inside=False),
        check_of("def f(x): return x", "assert f(1) == 2", inside=False),  # wrong both ways
    ]
    found = calibrate(canonicals, judge)
    assert [check.in_process for check, _ in found] == [False, True, True, False]
    assert [verdict.full for _, verdict in found] == [True, True, True, False]
    assert [verdict.in_process for _, verdict in found] == [False, True, True, False]


def test_a_wrong_solution_fails_inside_too(sandbox: Sandbox) -> None:
    wrong = PAIR.replace("pair.b - pair.a", "pair.b")
    verdict = run_check(sandbox, wrong, PAIR_TESTS, "longest")
    assert (verdict.level, verdict.passed, verdict.total) == (Level.PARTIAL, 1, 2)
    assert verdict.failure == "wrong-answer"
    assert "longest([Pair(1, 4), Pair(2, 3)]) == 3" in verdict.detail


LEVELS = {
    "def f(x": (Level.NONE, 0, "syntax"),
    "": (Level.NONE, 0, "empty"),
    "1 // 0": (Level.COMPILE, 0, "load-error"),
    "def g(x): return x": (Level.LOAD, 0, "missing-entry-point"),
    "def f(x): return 0": (Level.LOAD, 0, "wrong-answer"),
    "def f(x): return x if x < 3 else x // 0": (Level.PARTIAL, 2, "exception"),
    "def f(x):\n    while x == 2: pass\n    return x": (Level.PARTIAL, 1, "timeout"),
    "import os\ndef f(x): return x if x < 3 else os._exit(0)": (Level.PARTIAL, 2, "died"),
    "import sys\ndef f(x): return x if x < 3 else sys.exit(0)": (Level.PARTIAL, 2, "exception"),
    "def f(x): return [0] * 10 ** 10 if x == 2 else x": (Level.PARTIAL, 2, "memory"),
    "def f(x): return x": (Level.FULL, 3, ""),
}


@pytest.mark.parametrize("solution", LEVELS)
@pytest.mark.parametrize("style", ["check", "asserts"])
def test_levels_are_those_of_the_split(sandbox: Sandbox, solution: str, style: str) -> None:
    lines = ["assert f(1) == 1", "assert f(2) == 2", "assert f(3) == 3"]
    source = "\n".join(lines)
    if style == "check":
        source = "def check(f):\n    " + "\n    ".join(lines)
    check = check_of(solution, source)
    verdict = sandbox.submit(check).result(timeout=60)
    assert (verdict.level, verdict.passed, verdict.failure) == LEVELS[solution], verdict
    assert verdict.total == 3


def test_an_answer_that_equals_everything_passes_and_is_labelled(sandbox: Sandbox) -> None:
    # The price of answers that stay what they are; tests outside get the number that it holds.
    liar = "class Yes(int):\n    def __eq__(self, other): return True\ndef f(x): return Yes(0)\n"
    assert run_check(sandbox, liar, "assert f(1) == 2").full
    outside = check_of(liar, "assert f(1) == 2", inside=False)
    assert sandbox.submit(outside).result(timeout=60).failure == "wrong-answer"


def test_a_helper_of_the_tests_is_not_the_solutions_to_change(sandbox: Sandbox) -> None:
    # A `check` of the solution's own does not replace the tests'.
    solution = "def check(c): pass\ndef f(x): return 0\n"
    assert not run_check(sandbox, solution, "def check(c):\n    assert c(1) == 1\n").full


def test_a_loop_counts_once_and_a_caught_assert_is_the_sources(sandbox: Sandbox) -> None:
    source = (
        "for i in range(500):\n    assert f(i) == i\n"
        "try:\n    assert f(1) == 2\nexcept AssertionError:\n    pass\n"
    )
    verdict = run_check(sandbox, "def f(x): return x", source)
    assert (verdict.level, verdict.passed) == (Level.PARTIAL, 1)


@pytest.mark.parametrize(
    "junk",
    [
        "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'\\x00' * 7 + b'\\x02[]' * 9)\n    except OSError: pass\n",
        "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'\\xff' * 1000)\n    except OSError: pass\n",
    ],
)
def test_junk_on_the_wire_is_a_verdict(sandbox: Sandbox, junk: str) -> None:
    solution = junk + "def f(x): return x\n"
    verdict = run_check(sandbox, solution, "assert f(1) == 1")
    assert not verdict.full
    assert run_check(sandbox, "def f(x): return x", "assert f(1) == 1").full


def test_api_changes_hold_for_the_solution_and_not_for_the_tests(sandbox: Sandbox) -> None:
    tests = records.Tests("import math\nassert f(math.sqrt(16)) == math.sqrt(4)", "asserts")
    change = ApiChange("math.sqrt", "math.square_root")
    for solution, full, uses in (
        ("import math\ndef f(x): return math.square_root(x)", True, ApiUse(0, 1)),
        ("import math\ndef f(x): return math.sqrt(x)", False, ApiUse(1, 0)),
    ):
        check = Check(solution, "f", tests, LIMITS, api_changes=(change,), in_process=True)
        verdict = sandbox.submit(check).result(timeout=60)
        assert (verdict.full, verdict.api_uses) == (full, (uses,)), verdict
