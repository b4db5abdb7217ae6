"""A task whose own solution is slow gives its solutions time; no other task does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from pytest_coderobust import records
from pytest_coderobust.records import Limits, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.calibration import calibrate, calibrate_like
from pytest_coderobust.sandbox.check import Check, Sandbox

LIMITS = Limits(cpu_seconds=3, call_seconds=0.3)
TESTS = records.Tests("assert f(1) == 2\n", "asserts")
PAIRS = records.Tests("assert f(Pair(1)) == 2\n", "asserts")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(1) as opened:
        yield opened


def check_taking(seconds: float, tests: records.Tests = TESTS, value: str = "x + 1") -> Check:
    """Makes the check of a solution that computes for some seconds."""
    source = (
        "import time\nclass Pair:\n    def __init__(self, x): self.x = x\n"
        f"def f(x):\n    end = time.process_time() + {seconds}\n"
        f"    while time.process_time() < end:\n        pass\n    return {value}\n"
    )
    return Check(source, "f", tests, LIMITS)


class Counting:
    """Judges, and counts how many checks at a time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.counts: list[int] = []

    def __call__(self, checks: Sequence[Check]) -> list[Verdict]:
        self.counts.append(len(checks))
        return [self.sandbox.submit(check).result(timeout=60) for check in checks]


def test_a_slow_canonical_solution_lifts_the_limit_of_a_call(sandbox: Sandbox) -> None:
    judge = Counting(sandbox)
    quick, near, over = check_taking(0.0), check_taking(0.15), check_taking(0.6)
    found = calibrate([quick, near, over], judge)
    assert [verdict.full for _, verdict in found] == [True] * 3
    assert found[0][0] == quick
    lifted = replace(LIMITS, call_seconds=0.0)
    assert [check.limits for check, _ in found] == [LIMITS, lifted, lifted]
    assert judge.counts == [3, 1, 0]  # what passed already is not judged again
    assert judge([calibrate_like(check_taking(0.5), found[2][0])])[0].full
    assert judge([calibrate_like(check_taking(0.5), found[0][0])])[0].failure == "timeout"


def test_a_slow_one_that_cannot_be_split_is_both(sandbox: Sandbox) -> None:
    slow = check_taking(0.6, PAIRS, "x.x + 1")
    ((check, verdict),) = calibrate([slow], Counting(sandbox))
    assert verdict.full
    assert check.in_process
    again = calibrate_like(check_taking(0.5, PAIRS, "x.x + 1"), check)
    assert (again.in_process, again.limits) == (True, check.limits)


@pytest.mark.parametrize("seconds", [0.15, 0.6, 9.0])
def test_a_wrong_one_changes_nothing(sandbox: Sandbox, seconds: float) -> None:
    wrong = check_taking(seconds, value="x")
    ((check, verdict),) = calibrate([wrong], Counting(sandbox))
    assert check == wrong
    assert not verdict.full


def test_a_slow_program_that_nobody_calls_stays_as_it_is(sandbox: Sandbox) -> None:
    cases = json.dumps({"inputs": ["1"], "outputs": ["2"]})
    source = (
        "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end:\n"
        "    pass\nprint(int(input()) + 1)\n"
    )
    program = Check(source, "", records.Tests(cases, "stdio"), LIMITS)
    ((check, verdict),) = calibrate([program], Counting(sandbox))
    assert verdict.full
    assert check == program
