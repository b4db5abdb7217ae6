"""Whole programs that read standard input: each case a result, expected output never inside."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import ApiChange, Level, Limits, Tests, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check, Sandbox
from pytest_coderobust.sandbox.judge.printed import agrees

LIMITS = Limits(cpu_seconds=0.5, wall_seconds=2, output_bytes=1 << 16)
CASES = {"inputs": ["1 2\n", "3 4\n", "5 6"], "outputs": ["3\n", "7", "11\n"]}
ADD = "a, b = map(int, input().split())\nprint(a + b)\n"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(1) as opened:
        yield opened


def run_check(sandbox: Sandbox, solution: str, cases: object = CASES) -> Verdict:
    check = Check(solution, "", Tests(json.dumps(cases), "stdio"), LIMITS)
    return sandbox.submit(check).result(timeout=120)


@pytest.mark.parametrize(
    ("solution", "level", "passed", "failure"),
    [
        (ADD, Level.FULL, 3, ""),
        ("import sys\nprint(sum(map(int, sys.stdin.buffer.read().split())))", Level.FULL, 3, ""),
        ("print(sum(map(int, open(0).readline().split())))\nexit()", Level.FULL, 3, ""),
        (f"def main():\n    {ADD.replace(chr(10), '; ')[:-2]}\nif __name__ == '__main__':\n    main()", Level.FULL, 3, ""),
        ("import threading\nthreading.Thread(target=lambda: print(sum(map(int, input().split())))).start()", Level.FULL, 3, ""),
        ("import atexit, sys\natexit.register(lambda: sys.stdout.write(str(sum(map(int, input().split())))))", Level.FULL, 3, ""),
        ("import os\nos.write(1, str(sum(map(int, os.read(0, 99).split()))).encode())\nos._exit(0)", Level.FULL, 3, ""),
        (ADD + "raise SystemExit(1)\n", Level.FULL, 3, ""),  # as in APPS
        (ADD + "1 // 0\n", Level.COMPILE, 0, "exception"),
        (ADD + "import os\nos._exit(1)\n", Level.COMPILE, 0, "died"),
        ("print(3)", Level.PARTIAL, 1, "wrong-answer"),
        ("pass", Level.LOAD, 0, "wrong-answer"),
        ("import sys\nsys.stdout.buffer.write(b'\\xff3')", Level.LOAD, 0, "wrong-answer"),
        ("print('\\ud800')", Level.COMPILE, 0, "exception"),
        ("print('x' * (1 << 17))", Level.COMPILE, 0, "protocol"),
        ("x = (", Level.NONE, 0, "syntax"),
        ("x = 1\x00", Level.NONE, 0, "syntax"),
        ("f = '\ud800'", Level.NONE, 0, "syntax"),
        (" \n", Level.NONE, 0, "empty"),
        ("import os\nos.abort()", Level.COMPILE, 0, "died"),
        ("x = [0] * (1 << 40)", Level.COMPILE, 0, "memory"),
        ("import time\ntime.sleep(99)", Level.COMPILE, 0, "timeout"),
        ("import os\nos.fork()", Level.COMPILE, 0, "exception"),
        ("import os\nos.execv('/bin/sh', ['sh'])", Level.COMPILE, 0, "exception"),
    ],
)  # fmt: skip
def test_levels(sandbox: Sandbox, solution: str, level: Level, passed: int, failure: str) -> None:
    verdict = run_check(sandbox, solution)
    assert (verdict.level, verdict.passed, verdict.total) == (level, passed, 3), verdict
    assert verdict.failure == failure, verdict
    assert verdict.tier == sandbox.tier
    assert bool(verdict.detail) == bool(failure)
    assert "\n" not in verdict.detail


def test_a_hang_keeps_the_results_before_it(sandbox: Sandbox) -> None:
    verdict = run_check(sandbox, ADD.replace("print", "while a == 3: pass\nprint"))
    assert (verdict.level, verdict.passed, verdict.total) == (Level.PARTIAL, 1, 3)
    assert verdict.failure == "timeout"


def test_a_crash_leaves_the_other_cases_their_results(sandbox: Sandbox) -> None:
    verdict = run_check(sandbox, ADD.replace("print", "1 // (a - 3)\nprint"))
    assert (verdict.passed, verdict.failure) == (2, "exception")
    assert verdict.detail.startswith("ZeroDivisionError")


def test_no_state_goes_from_case_to_case(sandbox: Sandbox) -> None:
    kept = "import os\nprint(len(os.listdir()))\nopen('left', 'w').close()\n"
    cases = {"inputs": ["", "", ""], "outputs": ["0", "0", "0"]}
    assert run_check(sandbox, kept, cases).full


def test_a_long_input_arrives_and_a_program_need_not_read_it(sandbox: Sandbox) -> None:
    cases = {"inputs": ["7 " * 2_000_000], "outputs": ["14000000"]}
    assert run_check(sandbox, "print(sum(map(int, input().split())))", cases).full
    assert run_check(sandbox, "print(14000000)", cases).full


# What a program can reach of the answer, and of whoever asks for it.
HOSTILE = [
    "import gc\nfor x in gc.get_objects():\n    if '11' in repr(x)[:9999]: print(11)",
    "import sys\nf = sys._getframe()\nwhile f:\n    print(*map(str, f.f_locals.values())); f = f.f_back",
    'import os\nfor fd in range(3, 64):\n    try: os.write(fd, b\'\\0\\0\\0\\0\\0\\0\\0\\x11{"stage":"ready"}\')\n    except OSError: pass',
    "import os\nfor fd in range(64):\n    try: os.write(fd, os.pread(fd, 999, 0))\n    except OSError: pass",
    "import os\nos.write(0, b'11')",
    "import os\nos.close(1)\nwhile True: pass",
    "import os\nos.dup2(1, 9)\nos.close(1)\nos.write(9, b'x' * 60000)",
]


@pytest.mark.parametrize("solution", HOSTILE)
def test_a_hostile_program_passes_nothing_and_harms_nobody(sandbox: Sandbox, solution: str) -> None:
    cases = {"inputs": ["5 6"], "outputs": ["11 secret-answer"]}
    verdict = run_check(sandbox, solution, cases)
    assert verdict.passed == 0
    assert run_check(sandbox, ADD).full


def test_a_builtin_that_changed_is_gone_in_programs_too(sandbox: Sandbox) -> None:
    change = ApiChange("len", "size_of")
    tests = Tests(json.dumps({"inputs": [""], "outputs": ["2\n"]}), "stdio")
    old, new = (
        sandbox.submit(
            Check(f"print({name}('ab'))\nexit()\n", "", tests, LIMITS, api_changes=(change,))
        )
        for name in ("len", "size_of")
    )
    assert (old.result(60).failure, old.result(60).api_uses[0].old) == ("exception", 1)
    assert (new.result(60).full, new.result(60).api_uses[0].new) == (True, 1)


def test_api_changes_hold_in_programs_too(sandbox: Sandbox) -> None:
    change = ApiChange("math.gcd", "math.common_divisor")
    tests = Tests(json.dumps({"inputs": ["4 6", "9 6"], "outputs": ["2", "3"]}), "stdio")
    program = "import math\nprint(math.{}(*map(int, input().split())))\n"
    old, new = (
        sandbox.submit(Check(program.format(name), "", tests, LIMITS, api_changes=(change,)))
        for name in ("gcd", "common_divisor")
    )
    assert (old.result(60).failure, old.result(60).api_uses[0].old) == ("exception", 2)
    assert new.result(60).full
    assert new.result(60).api_uses[0].new == 2


@pytest.mark.parametrize("source", ["{", "[]", "{}", '{"inputs": [1], "outputs": ["1"]}',
                                    '{"inputs": ["1"], "outputs": []}', '{"inputs": [], "outputs": []}'])  # fmt: skip
def test_tests_that_are_none_are_the_harness_trouble(sandbox: Sandbox, source: str) -> None:
    with pytest.raises(SandboxError, match="not valid inputs and outputs"):
        sandbox.submit(Check("print(1)", "", Tests(source, "stdio"))).result(timeout=60)


@pytest.mark.parametrize(
    ("printed", "expected", "same"),
    [
        ("1 2\n", "1 2", True),
        ("  1   2  \r\n\n\n3\n", "1 2\n3\n", True),
        ("1\n2\n", "1 2\n", False),
        ("0.3333333", "0.33333333333", True),
        ("0.334", "0.333", False),
        ("2.0", "2", True),
        ("2.00000000001", "2", True),
        ("100000", "100001", False),
        ("+7", "7", True),
        ("YES", "Yes", False),
        ("2 1", "1 2", False),
        ("b\na", "a\nb", False),
        ("nan", "nan", True),
        ("nan", "1", False),
        ("1e-9", "0.0", True),
        ("1_0", "10", False),
        ("", "", True),
        ("\n \n", "", True),
        ("1", "", False),
        ("9" * 5000, "9" * 5000, True),
        ("9" * 5000, "9" * 4999 + "8", False),
    ],
)
def test_comparison(printed: str, expected: str, same: bool) -> None:
    assert agrees(printed, expected) is same


def test_closeness_is_numpys() -> None:
    numpy = pytest.importorskip("numpy")
    for ours in ("1.0", "1.00001", "1.000011", "-1.5", "1e-8", "2e-8", "1e300"):
        for theirs in ("1.5", "1.0", "0.0", "1.00001e300"):
            wanted = bool(numpy.allclose(float(ours), float(theirs)))
            assert agrees(ours, theirs) is wanted, (ours, theirs)


@given(st.text(), st.text())
def test_space_around_lines_never_counts(text: str, other: str) -> None:
    assert agrees(text, text)
    assert agrees(f"\n  {text}  \n\n", text)
    assert agrees(text, other) == agrees(f"{text} \n", f" {other}\n")
