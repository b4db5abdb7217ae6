"""Calls foreseen and answered at once give the same verdicts as calls one by one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_coderobust import records
from pytest_coderobust.records import Level, Limits, Verdict
from pytest_coderobust.sandbox.cage.plan import RLIMITS, CagePlan
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.check_runner import CheckRunner
from pytest_coderobust.sandbox.judge.tier import find_readable_paths
from pytest_coderobust.sandbox.judge.zygote import End, Zygote

LIMITS = Limits(cpu_seconds=1, wall_seconds=5)
FIXED = "assert f(1) == 1\nassert f(2) == 4\nassert f(3) == 9\n"
SQUARE = "def f(x):\n    return x * x\n"


class CountingZygote(Zygote):
    """A zygote that counts the candidates that it had to end.

    A candidate that gets all its calls at once ends by itself; one that is asked call by call waits
    for the next, and is ended.
    """

    stopped = 0

    def finish(self) -> End:
        self.stopped += 1
        return super().finish()


@pytest.fixture
def zygote(tmp_path: Path) -> Iterator[CountingZygote]:
    alive = os.open(os.devnull, os.O_RDONLY)
    started = CountingZygote(CagePlan(RLIMITS, find_readable_paths(), str(tmp_path), 0), alive)
    yield started
    started.close()
    os.close(alive)


def run_check(judge: CheckRunner, solution: str, source: str = FIXED) -> Verdict:
    return judge.judge(Check(solution, "f", records.Tests(source, "asserts"), LIMITS))


def count_forks(
    zygote: Zygote, judge: CheckRunner, *solutions: str, source: str = FIXED
) -> list[int]:
    """Counts the processes that each of these solutions took."""
    counts: list[int] = []
    for solution in solutions:
        before = zygote.forks
        run_check(judge, solution, source)
        counts.append(zygote.forks - before)
    return counts


def test_fixed_calls_take_one_process_each_and_judge_alike(zygote: Zygote) -> None:
    judge = CheckRunner(zygote, "t")
    solutions = (
        SQUARE, "def f(x):\n    return 1\n", "def f(x):\n    return x * x if x < 3 else 1 // 0\n",
        "def f(x", "1 // 0", "def g(): pass", "import os\ndef f(x):\n    os._exit(0)\n", SQUARE,
    )  # fmt: skip
    assert count_forks(zygote, judge, *solutions) == [1] * len(solutions)
    for solution in solutions:
        live = run_check(CheckRunner(zygote, "t"), solution)
        batch = run_check(judge, solution)
        assert (live.level, live.passed, live.failure, live.detail) == (
            batch.level, batch.passed, batch.failure, batch.detail,
        )  # fmt: skip


def test_a_rehearsal_that_would_never_end_is_broken_off(zygote: Zygote) -> None:
    source = "at = 0\nwhile f(at) != 4:\n    at += 1\nassert at == 2\n"
    assert run_check(CheckRunner(zygote, "t"), SQUARE, source).full


@pytest.mark.parametrize("wait", ["pass", "sum(range(10**11))", "__import__('time').sleep(99)"])
def test_a_rehearsal_that_does_not_end_costs_no_verdict(zygote: Zygote, wait: str) -> None:
    source = f"got = f(2)\nwhile got is None:\n    {wait}\nassert got == 4\n"
    judge = CheckRunner(zygote, "t", rehearsal_seconds=0.2)
    assert run_check(judge, SQUARE, source).full
    assert judge.learned == []
    assert run_check(judge, SQUARE, source).full


def test_what_a_rehearsal_does_to_modules_ends_with_it(zygote: Zygote) -> None:
    source = "import json\njson.seen = getattr(json, 'seen', 0) + 1\nassert f(1) == json.seen\n"
    judge = CheckRunner(zygote, "t")
    assert run_check(judge, "def f(x):\n    return 1\n", source).full
    assert judge.learned
    assert run_check(judge, "def f(x):\n    return 2\n", source).full


def test_what_one_judge_learned_another_can_use(zygote: CountingZygote) -> None:
    one, other = CheckRunner(zygote, "t"), CheckRunner(zygote, "t")
    assert run_check(one, SQUARE).full
    assert zygote.stopped == 1
    assert one.learned == [{"args": [1]}, {"args": [2]}, {"args": [3]}]
    other.learn((records.Tests(FIXED, "asserts"), "f"), one.learned)
    assert run_check(other, SQUARE).full
    assert other.learned is None
    assert zygote.stopped == 1  # nothing was asked call by call


@pytest.mark.parametrize(("other", "text"), [("1.0", "1.0"), ("True", "True"), ("-0.0", "-0.0")])
def test_equal_arguments_of_another_type_are_other_arguments(
    zygote: Zygote, other: str, text: str
) -> None:
    plain = other.removeprefix("-").removesuffix(".0").replace("True", "1")
    source = f"x = {plain}\ntry:\n    if f(2) == 'more': x = {other}\nexcept Exception: pass\n"
    judge = CheckRunner(zygote, "t")
    first = "def f(x):\n    return str(x)\n"
    assert run_check(judge, first, source + f"assert f(x) == {plain!r}\n").full
    more = "def f(x):\n    return 'more' if x == 2 else str(x)\n"
    assert run_check(judge, more, source + f"assert f(x) == {text!r}\n").full
    again = "def f(x):\n    return 'more' if x == 2 else str(x)\n"
    assert not run_check(judge, again, source + f"assert f(x) == {plain!r}\n").full


def test_an_argument_changed_to_an_equal_one_comes_back(zygote: Zygote) -> None:
    source = "v = [1, 2]\nassert f(v) == '1,2'\nassert f(v) == '1.0,2.0'\n"
    solution = (
        "def f(v):\n    said = ','.join(map(str, v))\n    v[:] = map(float, v)\n    return said\n"
    )
    judge = CheckRunner(zygote, "t")
    assert run_check(judge, solution, source).full
    assert run_check(judge, solution, source).full


def test_answers_that_are_large_together_are_asked_one_by_one(zygote: Zygote) -> None:
    source = "assert len(f(1)) == 9 << 20\nassert len(f(2)) == 9 << 20\n"
    judge = CheckRunner(zygote, "t")
    run_check(judge, "def f(x):\n    return 'x'\n", source)
    assert judge.learned
    large = "def f(x):\n    return 'x' * (9 << 20)\n"
    assert run_check(judge, large, source).full
    assert count_forks(zygote, judge, "def f(x):\n    return ''\n", source=source) == [1]


def test_a_hang_keeps_the_results_before_it(zygote: Zygote) -> None:
    judge = CheckRunner(zygote, "t")
    run_check(judge, SQUARE)
    hang = "def f(x):\n    while x == 3: pass\n    return x * x\n"
    verdict = run_check(judge, hang)
    assert (verdict.level, verdict.passed, verdict.failure) == (Level.PARTIAL, 2, "timeout")


def test_a_death_keeps_the_results_before_it(zygote: Zygote) -> None:
    judge = CheckRunner(zygote, "t")
    run_check(judge, SQUARE)
    verdict = run_check(judge, "import os\ndef f(x):\n    return x if x < 3 else os.abort()\n")
    assert (verdict.level, verdict.passed, verdict.failure) == (Level.PARTIAL, 1, "wrong-answer")


def test_calls_that_depend_on_answers_are_asked_live(zygote: Zygote) -> None:
    source = "first = f(3)\nassert f(first) == first + 1\nassert f(first + 1) == 5\n"
    judge = CheckRunner(zygote, "t")
    # The state that a solution keeps must be what the tests themselves brought about.
    counting = "seen = []\ndef f(x):\n    seen.append(x)\n    return len(seen) + {0}\n"
    assert run_check(judge, counting.format(2), source).full
    verdict = run_check(judge, counting.format(3), source)
    assert (verdict.level, verdict.passed) == (Level.PARTIAL, 1)
    assert run_check(judge, counting.format(2), source).full
    others = [counting.format(more) for more in range(4, 9)]
    assert count_forks(zygote, judge, *others, source=source) == [1] * len(others)


def test_large_answers_take_one_process_too(zygote: Zygote) -> None:
    judge = CheckRunner(zygote, "t")
    run_check(judge, SQUARE, "assert f(1)\nassert f(2)\n")
    large = "def f(x):\n    return 'x' * 3_000_000\n"
    source = "assert f(1)\nassert f(2)\n"
    assert count_forks(zygote, judge, large, large, source=source) == [1, 1]
    assert run_check(judge, large, source).full
    flood = "def f(x):\n    return 'x' * 30_000_000\n"
    assert run_check(judge, flood, source).failure == "protocol"
    hang = "def f(x):\n    while x == 2: pass\n    return 'x' * 3_000_000\n"
    verdict = run_check(judge, hang, source)
    assert (verdict.passed, verdict.failure) == (1, "timeout")


def test_a_reply_that_is_no_object_is_a_verdict_either_way(zygote: Zygote) -> None:
    junk = (
        "import os, stat\nfor fd in range(3, 64):\n    try:\n"
        "        if stat.S_ISSOCK(os.fstat(fd).st_mode):\n"
        "            os.write(fd, (2).to_bytes(8, 'big') + b'[]')\n"
        "    except OSError:\n        pass\n"
    )
    judge = CheckRunner(zygote, "t")
    run_check(judge, SQUARE)
    for each in (CheckRunner(zygote, "t"), judge):
        verdict = run_check(each, junk + SQUARE)
        assert (verdict.level, verdict.failure) == (Level.COMPILE, "protocol")
        assert verdict.detail == "a reply that is not an object"


def test_more_calls_than_are_sent_at_once_are_asked_live(zygote: Zygote) -> None:
    judge = CheckRunner(zygote, "t")
    source = "for i in range(1000):\n    assert f(i) == i * i\n"
    assert run_check(judge, SQUARE, source).full
    assert run_check(judge, SQUARE, source).full


def test_changed_arguments_come_back_in_a_batch_too(zygote: Zygote) -> None:
    judge = CheckRunner(zygote, "t")
    source = "rows = [2, 1]\nassert f(rows) is None\nassert rows == [1, 2]\n"
    for _ in range(3):
        assert run_check(judge, "def f(rows):\n    rows.sort()\n", source).full
    assert not run_check(judge, "def f(rows):\n    pass\n", source).full


def test_a_message_that_asks_again_does_not_cost_a_process(zygote: Zygote) -> None:
    source = "assert f(1) == 1, 'got ' + str(f(1))\nassert f(2) == 4, f'{f(2)!r} and {f(3)}'\n"
    judge = CheckRunner(zygote, "t")
    wrong = "def f(x):\n    return x\n"
    assert count_forks(zygote, judge, SQUARE, wrong, SQUARE, wrong, source=source) == [1, 1, 1, 1]
    assert run_check(judge, wrong, source).passed == 1
    assert "f(2) returned 2" in run_check(judge, wrong, source).detail


def test_tests_that_follow_a_good_answer_only_are_asked_live(zygote: Zygote) -> None:
    # HumanEval/33's shape: what fails on the left is not asked on the right.
    source = "assert tuple(f(1)) == tuple(f(2))\nassert f(3) == f(4)\n"
    solutions = ("def f(x):\n    return []\n", "def f(x):\n    return None\n") * 2
    assert count_forks(zygote, CheckRunner(zygote, "t"), *solutions, source=source) == [1] * 4


def test_what_no_rehearsal_shows_costs_one_process_once(zygote: Zygote) -> None:
    source = "got = f(1)\nif got == 'more':\n    f(2)\nassert f(3) == 3\n"
    judge = CheckRunner(zygote, "t")
    solutions = ("def f(x):\n    return x\n", "def f(x):\n    return x if x == 3 else 'more'\n")
    assert count_forks(zygote, judge, *solutions, *solutions, source=source) == [1, 2, 1, 1]
    assert run_check(judge, solutions[1], source).full


def test_a_message_of_its_own_is_told(zygote: Zygote) -> None:
    source = "got = f(2)\nassert got == 4, 'the square of two is not ' + str(got)\n"
    verdict = run_check(CheckRunner(zygote, "t"), "def f(x):\n    return 5\n", source)
    assert "the square of two is not 5" in verdict.detail


def test_a_run_that_ends_early_does_not_shorten_what_is_predicted(zygote: Zygote) -> None:
    source = "value = f(1)\nassert value == 1\nvalue = f(2)\nassert value == 4\n"
    early = "def f(x):\n    return 1 // 0\n"
    judge = CheckRunner(zygote, "t")
    solutions = (early, SQUARE, early, SQUARE, SQUARE)
    assert count_forks(zygote, judge, *solutions, source=source) == [1, 1, 1, 1, 1]
