"""Verdicts of the real sandbox: level, counts and failure kind."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_coderobust import records
from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Level, Limits, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check, Sandbox

LIMITS = Limits(cpu_seconds=1, wall_seconds=3, memory_mb=512, wire_bytes=1 << 20)
ASSERTS = "assert f(1) == 1\nassert f(2) == 4\nassert f(3) == 9\n"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(1) as opened:
        yield opened


def run_check(
    sandbox: Sandbox, solution: str, source: str = ASSERTS, style: records.TestStyle = "asserts"
) -> Verdict:
    check = Check(solution, "f", records.Tests(source, style), LIMITS)
    return sandbox.submit(check).result(timeout=120)


@pytest.mark.parametrize(
    ("solution", "level", "passed", "failure"),
    [
        ("def f(x):\n    return x * x\n", Level.FULL, 3, ""),
        ("def f(x):\n    return 1\n", Level.PARTIAL, 1, "wrong-answer"),
        ("def f(x):\n    return x if x > 1 else 1 // 0\n", Level.LOAD, 0, "exception"),
        ("def f(x):\n    return x * x if x < 3 else 1 // 0\n", Level.PARTIAL, 2, "exception"),
        ("def f(x):\n    raise SystemExit\n", Level.LOAD, 0, "exception"),
        ("def f(x):\n    raise KeyboardInterrupt\n", Level.LOAD, 0, "exception"),
        ("def f(x:\n", Level.NONE, 0, "syntax"),
        ("x = 1\x00\n", Level.NONE, 0, "syntax"),
        ("f = '\ud800'\n", Level.NONE, 0, "syntax"),
        ("x = " + "(" * 5000, Level.NONE, 0, "syntax"),
        ("", Level.NONE, 0, "empty"),
        ("  \n\t\n", Level.NONE, 0, "empty"),
        ("1 // 0\n", Level.COMPILE, 0, "load-error"),
        ("from math import no_such_name\n", Level.COMPILE, 0, "load-error"),
        ("def g(x):\n    return x\n", Level.LOAD, 0, "missing-entry-point"),
        ("f = 3\n", Level.LOAD, 0, "missing-entry-point"),
        ("while True: pass\n", Level.COMPILE, 0, "timeout"),
        ("def f(x):\n    while x == 3: pass\n    return x * x\n", Level.PARTIAL, 2, "timeout"),
        ("import time\ndef f(x):\n    time.sleep(99)\n", Level.LOAD, 0, "timeout"),
        ("import os\ndef f(x):\n    os._exit(0)\n", Level.LOAD, 0, "died"),
        ("import os\nos.abort()\n", Level.COMPILE, 0, "died"),
        ("def f(x):\n    return bytearray(1 << 33)\n", Level.LOAD, 0, "memory"),
        ("def f(x):\n    return 'x' * (1 << 24)\n", Level.LOAD, 0, "protocol"),
        ("def f(x):\n    return f(x)\n", Level.LOAD, 0, "exception"),
        ("def f(x):\n    return iter(int, 1)\n", Level.LOAD, 0, "protocol"),
        ("def f(x):\n    while True:\n        yield x\n", Level.LOAD, 0, "protocol"),
        ("import itertools\ndef f(x):\n    return itertools.count()\n", Level.LOAD, 0, "protocol"),
        ("def f(x):\n    return zip(iter(int, 1), iter(str, 1))\n", Level.LOAD, 0, "protocol"),
        ("def f(x):\n    return [{x: iter(list, 1)}]\n", Level.LOAD, 0, "protocol"),
        ("def f(x):\n    return [x] * 20_000_000\n", Level.LOAD, 0, "protocol"),
        ("def f(x):\n    return bytes(300_000_000)\n", Level.LOAD, 0, "protocol"),
        ("def f(x):\n    y = []\n    y += [y] * 50\n    return y\n", Level.LOAD, 0, "wrong-answer"),
        ("def f(x):\n    return range(10**15)\n", Level.LOAD, 0, "wrong-answer"),
        ("def f(x):\n    print('x' * (1 << 24))\n    return x * x\n", Level.FULL, 3, ""),
        ("def f(x):\n    print(input())\n", Level.LOAD, 0, "exception"),
    ],
)
def test_levels(sandbox: Sandbox, solution: str, level: Level, passed: int, failure: str) -> None:
    verdict = run_check(sandbox, solution)
    assert (verdict.level, verdict.passed, verdict.total) == (level, passed, 3), verdict
    assert verdict.failure == failure, verdict
    assert verdict.tier == sandbox.tier
    assert "\n" not in verdict.detail
    assert bool(verdict.detail) == bool(failure)


@pytest.mark.parametrize(
    "source", [os.urandom(5000).decode("latin-1"), "x = 1\n" * 1_700_000, "not " * 200_000 + "1"]
)
def test_junk_gets_a_verdict_each(sandbox: Sandbox, source: str) -> None:
    assert not run_check(sandbox, source).full
    assert run_check(sandbox, "def f(x):\n    return x * x\n").full


def test_changes_to_arguments_are_seen_by_the_tests(sandbox: Sandbox) -> None:
    source = (
        "def check(f):\n    rows = [3, [2, 1], {'a': [1]}]\n    inner = rows[1]\n"
        "    assert f(rows) is None\n    assert rows == [[1, 2, 9], {'a': [1, 5]}, 3]\n"
        "    kept = [[2, 1]]\n    inner = kept[0]\n    assert f(kept) is None\n"
        "    assert kept[0] is inner and inner == [1, 2, 9]\n"
    )
    solution = (
        "def f(rows):\n    if len(rows) == 3:\n        rows.append(rows.pop(0))\n"
        "        rows[1]['a'].append(5)\n    rows[0].sort()\n    rows[0].append(9)\n"
    )
    assert run_check(sandbox, solution, source, "check").full


def test_tests_can_expect_exceptions_by_type(sandbox: Sandbox) -> None:
    source = (
        "def check(f):\n    for bad, kind in ((0, ValueError), (1, KeyError), (2, UnicodeError)):\n"
        "        try:\n            f(bad)\n        except kind as error:\n"
        "            assert 'no' in str(error)\n        else:\n            assert False\n"
    )
    solution = (
        "class Mine(ValueError):\n    pass\n"
        "def f(x):\n    if x == 0:\n        raise Mine('no')\n    if x == 1:\n"
        "        raise KeyError('no')\n    raise UnicodeDecodeError('utf-8', b'', 0, 1, 'no')\n"
    )
    assert run_check(sandbox, solution, source, "check").full


def test_an_assertion_inside_the_candidate_counts_as_its_exception(sandbox: Sandbox) -> None:
    assert run_check(sandbox, "def f(x):\n    assert False\n").failure == "exception"


def test_keyword_arguments_and_state_between_calls(sandbox: Sandbox) -> None:
    solution = "seen = []\ndef f(x, *, y=0):\n    seen.append(x)\n    return len(seen) + y\n"
    source = "assert f(1) == 1\nassert f(1, y=5) == 7\n"
    assert run_check(sandbox, solution, source).full


def test_tests_that_cannot_be_split_say_so(sandbox: Sandbox) -> None:
    verdict = run_check(sandbox, "def f(g):\n    return g(1)\n", "assert f(lambda x: x) == 1\n")
    assert (verdict.level, verdict.failure) == (Level.LOAD, "protocol")
    assert "function" in verdict.detail


def test_tests_that_use_a_name_of_the_solution_say_so(sandbox: Sandbox) -> None:
    solution = "class Pair:\n    pass\ndef f(x):\n    return x\n"
    verdict = run_check(sandbox, solution, "assert f(Pair())\n")
    assert (verdict.level, verdict.failure) == (Level.LOAD, "protocol")
    assert "Pair" in verdict.detail


def test_broken_tests_are_an_error_of_the_harness_not_a_verdict(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="not valid Python"):
        run_check(sandbox, "def f(x):\n    return x\n", "assert (")
    assert run_check(sandbox, "def f(x):\n    return x * x\n").full


def test_a_value_that_hangs_the_tests_costs_one_verdict(sandbox: Sandbox) -> None:
    # Huge range: `in` with a non-int walks it to the end, in C, in the trusted process.
    source = "assert 'x' in f(1)\n"
    tight = Limits(cpu_seconds=0.5, wall_seconds=1)
    check = Check(
        "def f(x):\n    return range(10**15)\n", "f", records.Tests(source, "asserts"), tight
    )
    verdict = sandbox.submit(check).result(timeout=120)
    assert (verdict.level, verdict.failure) == (Level.LOAD, "timeout")
    assert run_check(sandbox, "def f(x):\n    return x * x\n").full


def test_nothing_of_the_callers_environment_is_inside(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    source = "assert 'HF_TOKEN' not in f()\nassert 'HOME' not in f()\n"
    with open_sandbox(1) as fresh:
        assert run_check(fresh, "import os\ndef f():\n    return dict(os.environ)\n", source).full


def test_hash_order_is_the_same_in_every_sandbox() -> None:
    solution = "def f():\n    return [hash('a'), list({'x', 'y', 'z'})]\n"
    orders = set[str]()
    for _ in range(2):
        with open_sandbox(1) as opened:
            verdict = run_check(opened, solution, "assert f() == 0, f()\n")
            orders.add(verdict.detail)
    assert len(orders) == 1


def test_random_numbers_are_the_same_in_every_process(sandbox: Sandbox) -> None:
    solution = "import random\ndef f():\n    return random.random()\n"
    expected = random.Random(1)
    source = f"assert f() == {expected.random()}\nassert f() == {expected.random()}\n"
    assert run_check(sandbox, solution, source).full
    assert run_check(sandbox, solution, source).full


def test_processor_time_is_the_candidates_own(sandbox: Sandbox) -> None:
    quick = run_check(sandbox, "def f(x):\n    return x * x\n")
    slow = run_check(sandbox, "def f(x):\n    sum(range(10**6))\n    return x * x\n")
    assert 0 < quick.cpu_seconds < slow.cpu_seconds


def test_closing_cancels_what_waits_and_leaves_no_process() -> None:
    before = find_children()
    opened = open_sandbox(2)
    waiting = [
        opened.submit(Check("import time\ntime.sleep(9)\n", "f", records.Tests(ASSERTS, "asserts")))
        for _ in range(6)
    ]
    opened.close()
    opened.close()
    assert all(future.done() for future in waiting)
    assert find_children() == before
    with pytest.raises(SandboxError, match="closed"):
        opened.submit(Check("", "f", records.Tests(ASSERTS, "asserts")))


def find_children() -> set[str]:
    """The processes below this one, by id."""
    tasks = Path("/proc/self/task")
    return {
        child
        for task in tasks.iterdir()
        for child in (task / "children").read_text(encoding="ascii").split()
    }


def test_many_workers_on_few_processors_time_nobody_out() -> None:
    # Each needs a third of a second of processor and may take one; twenty-four together need
    # several on a small machine. A limit on plain wall time fails most of them.
    solution = (
        "import time\ndef f(x):\n    end = time.process_time() + 0.3\n"
        "    while time.process_time() < end: pass\n    return x * x\n"
    )
    limits = Limits(cpu_seconds=2, wall_seconds=1)
    check = Check(solution, "f", records.Tests("assert f(2) == 4\n", "asserts"), limits)
    with open_sandbox(24) as crowded:
        futures = [crowded.submit(check) for _ in range(24)]
        assert [verdict for f in futures if not (verdict := f.result(timeout=120)).full] == []


def test_a_sleeper_is_a_timeout_however_it_wakes(sandbox: Sandbox) -> None:
    tight = Limits(cpu_seconds=1, wall_seconds=0.5)
    for solution in (
        "import time\ndef f(x):\n    time.sleep(60)\n",
        "import time\ndef f(x):\n    while True: time.sleep(0.001)\n",
        "import threading\ndef f(x):\n    threading.Event().wait()\n",
    ):
        check = Check(solution, "f", records.Tests(ASSERTS, "asserts"), tight)
        verdict = sandbox.submit(check).result(timeout=60)
        assert (verdict.level, verdict.failure) == (Level.LOAD, "timeout")


def test_a_value_that_grows_when_decoded_does_no_harm(sandbox: Sandbox) -> None:
    solution = (
        "import os, stat\nBODY = b'{\"value\":[' + b'[],' * 1_000_000 + b'[]]}'\n"
        "def f(x):\n"
        "    for fd in range(3, 64):\n"
        "        try:\n"
        "            if stat.S_ISSOCK(os.fstat(fd).st_mode):\n"
        "                os.write(fd, len(BODY).to_bytes(8, 'big') + BODY)\n"
        "        except OSError:\n            pass\n"
        "    os._exit(0)\n"
    )
    roomy = Limits(cpu_seconds=2, wall_seconds=4)
    check = Check(solution, "f", records.Tests("assert f(1) == 1\n", "asserts"), roomy)
    verdict = sandbox.submit(check).result(timeout=60)
    assert verdict.level is Level.LOAD
    assert run_check(sandbox, "def f(x):\n    return x * x\n").full
