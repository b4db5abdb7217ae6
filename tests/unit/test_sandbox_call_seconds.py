"""The limit of one call: processor time of its own, and no more than the whole check's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from pytest_coderobust import records
from pytest_coderobust.records import Level, Limits, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check

Judge: TypeAlias = Callable[..., Verdict]
GROWS = "def f(x):\n    while x == 2:\n        y = x\n    return x * x\n"


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with open_sandbox(1) as sandbox:
        tests = records.Tests("assert f(1) == 1\nassert f(2) == 4\n", "asserts")

        def run_check(source: str, **limits: float) -> Verdict:
            check = Check(source, "f", tests, Limits(**limits))  # type: ignore[arg-type]
            return sandbox.submit(check).result()

        yield run_check


def write_busy(seconds: float, head: str = "") -> str:
    """Writes a right solution that computes for some seconds in each call."""
    return (
        f"import time\n{head}def f(x):\n    end = time.process_time() + {seconds}\n"
        "    while time.process_time() < end:\n        pass\n    return x * x\n"
    )


def test_a_call_that_takes_longer_is_a_timeout(judge: Judge) -> None:
    for _ in range(2):  # call by call, and all at once
        verdict = judge(GROWS, call_seconds=0.2)
        assert (verdict.level, verdict.passed, verdict.failure) == (Level.PARTIAL, 1, "timeout")
        assert verdict.detail == ("used up the processor time of one call in: assert f(2) == 4")
        assert verdict.cpu_seconds < 1.0  # the whole check has five
        assert judge("def f(x):\n    return x * x\n", call_seconds=0.2).full


def test_each_call_has_the_limit_to_itself(judge: Judge) -> None:
    assert judge(write_busy(0.35), call_seconds=0.6).full
    verdict = judge(write_busy(0.35), call_seconds=0.6, cpu_seconds=0.6)
    assert (verdict.failure, verdict.passed) == ("timeout", 1)
    assert verdict.detail.startswith("used up its processor time")


def test_loading_has_no_limit_of_a_call(judge: Judge) -> None:
    slow = "end = time.process_time() + 0.5\nwhile time.process_time() < end:\n    pass\n"
    assert judge(write_busy(0.0, slow), call_seconds=0.2).full


def test_a_solution_that_disarms_its_timer_has_the_limit_of_the_check(judge: Judge) -> None:
    disarm = "import signal\nsignal.signal(signal.SIGPROF, signal.SIG_IGN)\n"
    verdict = judge(disarm + GROWS, call_seconds=0.2, cpu_seconds=0.7)
    assert (verdict.failure, verdict.passed) == ("timeout", 1)
    assert verdict.detail.startswith("used up its processor time")
