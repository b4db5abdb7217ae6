"""Predicts the calls that tests make, so that a solution can get all of them in one message.

Tests with fixed inputs ask every solution the same things. Their calls are learned from the first
solution that brings them to their end, and confirmed by a rehearsal: the tests run without a
solution, and must make the same calls whatever they are answered. Where a rehearsal misses that a
later argument depends on an earlier answer, the prediction fails once, and from then on every
solution is asked one call at a time.

A rehearsal has a process of its own: what tests do to modules ends with it, a kernel timer bounds
it, and nothing that happens there can cost a solution its verdict.
"""

from __future__ import annotations

import os
import signal
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, TypeAlias

from pytest_coderobust.records import Tests
from pytest_coderobust.sandbox.cage.frames import to_json
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.asserts import Suite
from pytest_coderobust.sandbox.judge.conversation import DivergedError
from pytest_coderobust.sandbox.judge.outcome import Outcomes
from pytest_coderobust.sandbox.judge.proxy import Proxy
from pytest_coderobust.sandbox.judge.trial import run_tests

MAX_CALLS = 200
MAX_BYTES = 1 << 16
MAX_PREDICTIONS = 4096
REHEARSAL_SECONDS = 2.0
"""For all rehearsals of one set of tests; tests that take longer ask one call at a time."""
UNEXPECTED: tuple[Any, ...] = ({"value": None}, {"raised": {"kinds": ["Exception"]}})
"""Answers that most tests do not expect: tests that make the same calls after these always do."""
FIXED, OPEN = 0, 1

TestsAndName: TypeAlias = tuple[Tests, str]
"""Tests and the entry point that they call."""
CallList: TypeAlias = list[Any]
"""Tagged calls in order. An empty list says that the calls cannot be predicted."""


class Predictions:
    """Remembers the calls of tests; the oldest go first."""

    def __init__(self) -> None:
        self._known: OrderedDict[TestsAndName, CallList] = OrderedDict()

    def get(self, key: TestsAndName) -> CallList | None:
        """Returns the calls that these tests are going to make; None when they are not known."""
        return self._known.get(key)

    def learn(self, key: TestsAndName, calls: CallList) -> None:
        """Keeps calls in place of those before."""
        self._known[key] = calls
        while len(self._known) > MAX_PREDICTIONS:
            self._known.popitem(last=False)


def predict(
    check: Check, suite: Suite, calls: CallList, seconds: float = REHEARSAL_SECONDS
) -> CallList:
    """Returns these calls where the tests make them whatever they are answered, else no calls.

    Args:
        calls: what the tests have asked a solution that brought them to their end.
        seconds: real time for the rehearsals.
    """
    if not 0 < len(calls) <= MAX_CALLS or len(to_json(calls)) > MAX_BYTES:
        return []  # too many to be sent with every solution
    return calls if always_makes(check, suite, calls, seconds) else []


def always_makes(check: Check, suite: Suite, calls: Sequence[Any], seconds: float) -> bool:
    """Rehearses whether tests make these calls and no other, to their end or an early one.

    False where a rehearsal does not come to an end.
    """
    child = os.fork()
    if child == 0:
        status = OPEN
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)  # its default action is death
            if all(rehearse(check, suite, calls, reply) for reply in UNEXPECTED):
                status = FIXED
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == FIXED


def rehearse(check: Check, suite: Suite, calls: Sequence[Any], reply: Any) -> bool:
    """Runs tests with one answer to every call; says whether they make no other calls."""
    coming = map(repr, calls)

    def ask(call: Any) -> Any:
        if next(coming, None) != repr(call):
            raise DivergedError
        return reply

    outcomes = Outcomes(suite.total, suite.caught)
    try:
        run_tests(check, suite, outcomes, Proxy(check.entry_point, ask))
    except DivergedError:
        return False
    return True
