"""A loop that came back to where it was is ended at once, and no other loop is."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import indent
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sandbox_loops import DISTURBED, ENDLESS, OUTSIDE, UNDECIDED

from pytest_coderobust import records
from pytest_coderobust.records import Limits, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.cage import endless
from pytest_coderobust.sandbox.cage.endless import Look
from pytest_coderobust.sandbox.check import Check

FILE = "<solution>"
SECONDS = 0.15
"""Of processor time: for programs of a few thousand steps, if they end at all."""


class Endless(BaseException):
    """Raised in place of ending this process."""


class TooLong(BaseException):
    """A program did not end within SECONDS."""


@contextmanager
def bounded() -> Iterator[None]:
    """Raises TooLong after SECONDS of processor time."""

    def too_long(*_: Any) -> None:
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def loaded(source: str) -> Callable[[], None]:
    """A source's `f`."""
    space: dict[str, Any] = {}
    exec(compile(source, FILE, "exec"), space)
    found: Callable[[], None] = space["f"]
    return found


def judged_endless(source: str, at: int = 0) -> int:
    """The line of the loop that is said never to end, or 0.

    Args:
        at: look after so many times at the head of a `while`.
    """
    found: list[int] = []

    def tell(line: int) -> None:
        found.append(line)
        raise Endless

    look = Look()
    look._filename, look._source, look._tell = FILE, source, tell
    lines = source.split("\n")

    heads = 0

    def tracer(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal heads
        heads += event == "line" and lines[frame.f_lineno - 1].lstrip().startswith("while")
        if heads > at:
            sys.settrace(None)  # as it is when the signal comes
            look.follow(frame)
            return frame.f_trace
        return tracer

    function, before = loaded(source), sys.gettrace()
    try:
        with bounded():
            sys.settrace(lambda frame, *_: tracer if frame.f_code.co_filename == FILE else None)
            function()
    except (Endless, TooLong):
        return found[0] if found else 0
    except (IndexError, NameError):
        return 0
    finally:
        sys.settrace(before)
    return 0


def ends(source: str) -> bool:
    """Whether a program ends in time, well or badly."""
    try:
        with bounded():
            loaded(source)()
    except TooLong:
        return False
    except (IndexError, NameError):
        return True
    return True


def function(body: str) -> str:
    return "def f():\n" + indent(body, "    ")


@pytest.mark.parametrize("name", ENDLESS)
def test_a_loop_that_comes_back_to_its_values_never_ends(name: str) -> None:
    source = function(ENDLESS[name])
    assert not ends(source)
    assert source.split("\n")[judged_endless(source) - 1].strip().startswith("while")


@pytest.mark.parametrize("name", UNDECIDED)
def test_a_loop_that_ends_is_left_alone(name: str) -> None:
    source = function(UNDECIDED[name])
    assert ends(source)
    assert not any(judged_endless(source, at) for at in (0, 1, 2, 5))


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_loop_that_something_else_ends_is_left_alone(name: str) -> None:
    source = OUTSIDE[name]
    assert ends(source)
    assert not any(judged_endless(source, at) for at in (0, 1, 2, 5))


ADDRESSES = {
    "an iterator": "str(map(len, []))",
    "a generator": "f'{(c for c in [])}'",
    "a method": "'{.append}'.format([])",
    "a method by itself": "str([].append)",
    "an iterator by another name": "str([zip][0]())",
    "an iterator of iterators": "str(list(map(zip, [[]])))",
    "an iterator in a list": "str([reversed([])])",
    "an iterator from a sum": "str(sum([], enumerate([])))",
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_loop_that_sees_an_address_is_left_alone(name: str) -> None:
    seen = ADDRESSES[name]
    assert " at 0x" in eval(seen)  # so that it may be another one next time
    assert not judged_endless(function(f"while True:\n    {seen}\n"))
    assert judged_endless(function("while True:\n    str([])\n"))


STEPS_OF = st.sampled_from(
    ["a = (a + {0}) % {1}", "b = (a * {0} + b) % {1}", "c = a", "xs.append(xs.pop(0))",
     "xs[0] = (xs[0] + b) % {1}", "a, b = b, a", "ys = xs", "xs = list(ys)", "c = sum(xs) % {1}",
     "b = len([x for x in xs if x > {0}])", "n += 1"]
)  # fmt: skip
TESTS_OF = st.sampled_from(
    ["a != {0}", "b < {1}", "True", "c or a", "xs[0] != {0}", "xs is not None", "n < 40"]
)


def blocks(depth: int) -> st.SearchStrategy[str]:
    """A few statements over small numbers, with loops inside loops."""
    numbers = st.tuples(st.integers(0, 4), st.integers(2, 7))
    step = st.builds(lambda text, two: text.format(*two) + "\n", STEPS_OF, numbers)
    test = st.builds(lambda text, two: text.format(*two), TESTS_OF, numbers)
    kinds = [step, st.builds("if {}:\n    break\n".format, test)] if depth < 2 else [step]
    if depth:
        inner = blocks(depth - 1).map(lambda text: indent(text, "    "))
        kinds.append(st.builds("while {}:\n{}".format, test, inner))
        kinds.append(st.builds("for k in range({}):\n{}".format, st.integers(0, 3), inner))
    return st.lists(st.one_of(kinds), min_size=1, max_size=4).map("".join)


@settings(max_examples=150, deadline=None)
@given(blocks(2), st.integers(0, 6))
def test_what_is_said_to_be_endless_never_ends(body: str, at: int) -> None:
    source = function("a, b, c, n, xs, ys = 1, 2, 3, 0, [1, 2, 0], [0]\n" + body)
    if judged_endless(source, at):
        assert not ends(source)


@pytest.fixture(autouse=True, scope="module")
def _undisturbed() -> Iterator[None]:
    """Says so of this process, which has threads under pytest-xdist."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(endless, "undisturbed", lambda: True)
        yield


@pytest.fixture(scope="module")
def judge() -> Any:
    with open_sandbox(1) as sandbox:
        tests = records.Tests("assert f(1) == 1\nassert f(2) == 4\n", "asserts")

        def judged(source: str, **limits: float) -> Verdict:
            return sandbox.submit(Check(source, "f", tests, Limits(**limits))).result()

        yield judged


HANGS = "def f(x):\n    while x == 2:\n        y = x\n    return x * x\n"


def test_an_endless_loop_costs_little_and_is_named(judge: Callable[..., Verdict]) -> None:
    for _ in range(2):  # call by call, and all at once
        verdict = judge(HANGS)
        assert (verdict.failure, verdict.passed) == ("timeout", 1)
        assert "never ends: the loop at line 2 comes back to the same values" in verdict.detail
        assert verdict.cpu_seconds < 0.5
        assert judge("def f(x):\n    return x * x\n").full


def test_slow_solutions_keep_their_verdict(judge: Callable[..., Verdict]) -> None:
    slow = (
        "def f(x):\n    n = 0\n    while n < 3_000_000:\n        n += x * 0 + 1\n    return x * x\n"
    )
    assert judge(slow).full
    deep = (
        "def down(n):\n    return n and 1 + down(n - 1)\n"
        "def f(x):\n    for _ in range(2000):\n        down(900)\n    return x * x\n"
    )
    assert judge(deep).full


def test_a_long_list_is_not_gone_through_again_and_again(judge: Callable[..., Verdict]) -> None:
    for size in (9_000, 30_000):
        source = (
            f"def f(x):\n    a, i, s = list(range({size})), 0, 0\n    while i < 1_200_000:\n"
            f"        s += a[i % {size}]\n        i += 1\n    return x * x\n"
        )
        assert judge(source, call_seconds=1.0).full


def test_a_solution_is_followed_for_a_small_part_of_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = 0

    def untraced(*_: Any) -> None:
        nonlocal calls
        calls += 1

    monkeypatch.setattr(endless, "untraced", untraced)
    source = function("n = 0\nwhile n < 4:\n    s = sum(k for k in range(1_000_000))\n    n += 1\n")
    look = Look()
    before = signal.signal(signal.SIGVTALRM, look)
    try:
        look.begin(FILE, source, lambda line: pytest.fail(f"line {line}"))
        loaded(source)()
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    assert sys.gettrace() is not untraced
    assert 0 < calls < 1_000_000


@pytest.mark.parametrize("name", DISTURBED)
def test_a_loop_that_is_ended_from_outside_is_left_alone(
    judge: Callable[..., Verdict], name: str
) -> None:
    assert judge(DISTURBED[name]).full


def test_one_call_has_its_own_limit(judge: Callable[..., Verdict]) -> None:
    grows = "def f(x):\n    while x:\n        x += 1\n"
    verdict = judge(grows, call_seconds=0.2)
    assert (verdict.failure, verdict.detail) == (
        "timeout", "used up the processor time of one call in: assert f(1) == 1",
    )  # fmt: skip
    assert 0.1 < verdict.cpu_seconds < 0.9
    # Two calls of two thirds of a second each are within the limit of one, and above it together.
    half = (
        "import time\ndef f(x):\n    end = time.process_time() + 0.35\n"
        "    while time.process_time() < end:\n        pass\n    return x * x\n"
    )
    assert judge(half, call_seconds=0.6).full
    assert judge(half, call_seconds=0.6, cpu_seconds=0.5).failure == "timeout"
