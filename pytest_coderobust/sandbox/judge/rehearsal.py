"""Rehearsals: do tests ask the same things whatever they are answered?

A rehearsal runs the tests without a solution, in a process of its own: what they do to modules ends
with it, a kernel timer bounds it, and nothing that happens there can cost a solution its verdict.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import Any

from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.asserts import Suite
from pytest_coderobust.sandbox.judge.conversation import DivergedError
from pytest_coderobust.sandbox.judge.outcome import Outcomes
from pytest_coderobust.sandbox.judge.proxy import Proxy
from pytest_coderobust.sandbox.judge.trial import run_tests

UNEXPECTED: tuple[Any, ...] = ({"value": None}, {"raised": {"kinds": ["Exception"]}})
"""Answers that most tests do not expect: those who ask the same all the same ask everybody so."""
SECONDS = 2.0
"""For all rehearsals of one set of tests; what takes longer is asked one call at a time."""
FIXED, OPEN = 0, 1


def asks_alike(check: Check, suite: Suite, calls: Sequence[Any]) -> bool:
    """Whether tests make these calls and no other, to their end or an early one, whatever they
    are answered; False where a rehearsal does not come to an end.
    """
    child = os.fork()
    if child == 0:
        status = OPEN
        try:
            signal.setitimer(signal.ITIMER_REAL, SECONDS)  # its default action is death
            if all(abides(check, suite, calls, reply) for reply in UNEXPECTED):
                status = FIXED
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == FIXED


def abides(check: Check, suite: Suite, calls: Sequence[Any], reply: Any) -> bool:
    """Whether tests make no other calls when every answer is this one."""
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
