"""A solution that runs ahead of its turn gets the verdict that it gets in its turn."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_coderobust.records import ApiChange, Limits, Tests, Verdict
from pytest_coderobust.sandbox.cage.plan import RLIMITS, Plan
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.interpreter import readable_paths
from pytest_coderobust.sandbox.judge import Judge
from pytest_coderobust.sandbox.launcher import Zygote

LIMITS = Limits(cpu_seconds=0.1, wall_seconds=5, wire_bytes=1 << 18)
FIXED = Tests("assert f(1) == 1\nassert f(2) == 4\nassert f(3) == 9\n", "asserts")
FOLLOWING = Tests("first = f(3)\nassert f(first) == 81\n", "asserts")
MISLEADING = Tests("got = f(1)\nif got == 'more':\n    f(2)\nassert f(3)\n", "asserts")
SQUARE = "def f(x):\n    return x * x\n"
KINDS = {
    "right": Check(SQUARE, "f", FIXED, LIMITS),
    "wrong": Check("def f(x):\n    return 4\n", "f", FIXED, LIMITS),
    "hangs": Check("def f(x):\n    while x == 3: pass\n    return x * x\n", "f", FIXED, LIMITS),
    "dies": Check("import os\ndef f(x):\n    os._exit(0)\n", "f", FIXED, LIMITS),
    "no Python": Check("def f(x", "f", FIXED, LIMITS),
    "empty": Check("  ", "f", FIXED, LIMITS),
    "flood": Check("def f(x):\n    return 'x' * 150_000\n", "f", FIXED, LIMITS),
    "live": Check(SQUARE, "f", FOLLOWING, LIMITS),
    "misled": Check("def f(x):\n    return 'more'\n", "f", MISLEADING, LIMITS),
    "inside": Check(SQUARE, "f", FIXED, LIMITS, in_process=True),
    "changed": Check(SQUARE, "f", FIXED, LIMITS, api_changes=(ApiChange("math.prod", "math.p"),)),
    "program": Check(
        "print(int(input()) ** 2)",
        "",
        Tests('{"inputs": ["3"], "outputs": ["9"]}', "stdio"),
        LIMITS,
    ),
}


@pytest.fixture
def zygote(tmp_path: Path) -> Iterator[Zygote]:
    alive = os.open(os.devnull, os.O_RDONLY)
    started = Zygote(Plan(RLIMITS, readable_paths(), str(tmp_path), 0), alive)
    yield started
    started.close()
    os.close(alive)


def taught(zygote: Zygote) -> Judge:
    judge = Judge(zygote, "t")
    judge.learn((FIXED, "f"), [{"args": [1]}, {"args": [2]}, {"args": [3]}])
    judge.learn((MISLEADING, "f"), [{"args": [1]}, {"args": [3]}])
    return judge


def told(verdict: Verdict) -> Verdict:
    """A verdict without what a clock says."""
    return replace(verdict, cpu_seconds=0.0)


def test_every_kind_behind_every_kind(zygote: Zygote) -> None:
    alone = {name: told(taught(zygote).judge(check)) for name, check in KINDS.items()}
    assert alone["right"].full
    assert {alone[name].failure for name in ("wrong", "hangs", "dies")} == {
        "wrong-answer", "timeout", "died",
    }  # fmt: skip
    for first, second in itertools.product(KINDS, repeat=2):
        judge = taught(zygote)
        found = [
            told(judge.judge(KINDS[first], lambda name=second: KINDS[name])),  # type: ignore[misc]
            told(judge.judge(KINDS[second])),
        ]
        assert found == [alone[first], alone[second]], (first, second)


def test_what_runs_ahead_costs_no_process_more(zygote: Zygote) -> None:
    judge = taught(zygote)
    checks = [KINDS[name] for name in ("right", "wrong", "dies", "no Python", "right") * 3]
    before = zygote.forks
    for at, check in enumerate(checks):
        judge.judge(check, lambda at=at: checks[at + 1] if at + 1 < len(checks) else None)  # type: ignore[misc]
    assert zygote.forks - before == len(checks)


def test_another_check_than_the_next_one_comes_to_no_harm(zygote: Zygote) -> None:
    judge = taught(zygote)
    assert judge.judge(KINDS["right"], lambda: KINDS["hangs"]).full
    assert judge.judge(KINDS["right"]).full
    assert not judge.judge(KINDS["wrong"], lambda: KINDS["right"]).full
    assert judge.judge(KINDS["right"]).full


def test_waiting_to_be_read_is_not_the_solutions_fault(zygote: Zygote) -> None:
    slow = Tests("import time\nassert f(1)\ntime.sleep(1.5)\nassert f(2)\n", "asserts")
    judge = taught(zygote)
    judge.learn((slow, "f"), [{"args": [1]}, {"args": [2]}])
    limits = Limits(cpu_seconds=0.3, wall_seconds=1)
    large = Check("def f(x):\n    return 'x' * 3_000_000\n", "f", slow, limits)
    assert judge.judge(large, lambda: large).full
    assert judge.judge(large).full
