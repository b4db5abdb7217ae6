"""One check, judged: the trusted tests run here, the solution runs in the cage."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Level, Verdict
from pytest_coderobust.sandbox.asserts import GUARDS, Suite, prepare
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.in_process import examine_in_process
from pytest_coderobust.sandbox.languages import runners
from pytest_coderobust.sandbox.languages.cages import Cages
from pytest_coderobust.sandbox.launcher import Zygote, ZygoteLostError
from pytest_coderobust.sandbox.loading import not_loaded
from pytest_coderobust.sandbox.outcome import (
    FAILURES,
    CandidateGone,
    Outcomes,
    one_line,
)
from pytest_coderobust.sandbox.proxy import Ask, Proxy
from pytest_coderobust.sandbox.scripts import MAX_CALLS, Scripts
from pytest_coderobust.sandbox.session import (
    BatchSession,
    DivergedError,
    LiveSession,
    Session,
    Starved,
)
from pytest_coderobust.sandbox.stdio import judge_stdio, read_cases
from pytest_coderobust.sandbox.watchdog import cut_off

POOR_REPLIES: tuple[Any, ...] = ({"value": None}, {"raised": {"kinds": ["Exception"]}})
"""Answers that most tests do not expect: those who ask the same all the same ask everybody so."""
REHEARSAL_SECONDS = 0.5
"""Processor time for tests that only rehearse: what takes longer learns from a solution."""
REPLIES: tuple[Any, ...] = ({"raised": {"kinds": ["Exception"]}}, {"value": []})
"""An end and something to go through: for tests that no solution has met yet."""


class Judge:
    """Judges checks one after another over one zygote.

    Args:
        tier: the isolation that the zygote set up, for the verdicts.
        cages: judges what is not Python; None where nothing else comes.

    Attributes:
        starved: whether the last verdict is a timeout that is the machine's fault.
    """

    def __init__(self, zygote: Zygote, tier: str, cages: Cages | None = None) -> None:
        self._zygote = zygote
        self._tier = tier
        self._cages = cages
        self._scripts = Scripts()
        self.starved: Starved = ""

    @property
    def forks(self) -> int:
        """How many candidates' processes there have been."""
        return self._zygote.forks

    def judge(self, check: Check) -> Verdict:
        """Runs one check to its verdict.

        Raises:
            SandboxError: the tests are no Python; nothing is known about the solution.
            ZygoteLostError: the zygote is gone, and this judge with it.
        """
        self.starved = ""
        if not check.solution.strip():
            detail = "the solution is empty"
            return Verdict(Level.NONE, 0, count(check), "empty", detail, self._tier)
        if check.language != "python":
            if self._cages is None:
                raise SandboxError(f"nothing here runs {check.language}")
            verdict, self.starved = self._cages.judge(check)
            return replace(verdict, tier=self._tier, in_process=True)
        if check.tests.style == "stdio":
            verdict, self.starved = judge_stdio(check, self._zygote)
            return replace(verdict, tier=self._tier)
        suite = prepare(check.tests)
        if check.in_process:
            return self._judge_in_process(check, suite)
        return self._judge_at_once(check, suite) or self._judge_live(check, suite)

    def _judge_at_once(self, check: Check, suite: Suite) -> Verdict | None:
        """A verdict from one exchange; None when the tests ask what was not foreseen."""
        if not self._scripts.seen(check.tests, check.entry_point):
            first, *others = [asked(check, suite, reply) for reply in REPLIES]
            fixed = all(other == first for other in others)
            self._scripts.rehearse(check.tests, check.entry_point, first if fixed else [])
        calls = self._scripts.foresee(check.tests, check.entry_point)
        if calls is None:
            return None
        session = BatchSession(self._zygote, check.limits, calls, check.api_changes)
        try:
            found, _ = examine(check, suite, session)
        except DivergedError:
            found = None
        if session.diverged or found is None:
            self._scripts.miss(check.tests, check.entry_point)
            return None
        return self._verdict(found, session)

    def _judge_live(self, check: Check, suite: Suite) -> Verdict:
        session = LiveSession(self._zygote, check.limits, check.api_changes)
        try:
            found, finished = examine(check, suite, session)
        finally:
            session.close()
        if finished and not self._scripts.decided(check.tests, check.entry_point):
            fixed = all(abides(check, suite, session.calls, reply) for reply in POOR_REPLIES)
            self._scripts.learn(check.tests, check.entry_point, session.calls if fixed else [])
        return self._verdict(found, session)

    def _judge_in_process(self, check: Check, suite: Suite) -> Verdict:
        session = LiveSession(self._zygote, check.limits, check.api_changes)
        try:
            found = examine_in_process(check, suite, session)
        finally:
            session.close()
        return replace(self._verdict(found, session), in_process=True)

    def _verdict(self, found: Verdict, session: Session) -> Verdict:
        end = session.close()
        if end.reason == "lost":
            raise ZygoteLostError("the fork server ended during a check")
        self.starved = session.starved if found.failure == "timeout" else ""
        return replace(found, tier=self._tier, cpu_seconds=end.cpu_seconds, api_uses=end.api_uses)


def count(check: Check) -> int:
    """How many tests a check holds. Raises SandboxError when they cannot be read."""
    if check.language != "python":
        return runners.count(check.language, check.tests)
    if check.tests.style == "stdio":
        return len(read_cases(check.tests.source))
    return prepare(check.tests).total


def examine(check: Check, suite: Suite, session: Session) -> tuple[Verdict, bool]:
    """What a session shows about a solution, and whether its tests came to their end.

    Tier and processor time are left to fill in.
    """
    try:
        loaded = session.load(check.solution, check.entry_point)
    except CandidateGone as gone:
        return Verdict(Level.COMPILE, 0, suite.total, gone.kind, one_line(gone)), False
    missing = not_loaded(loaded, check, suite.total)
    if missing is not None:
        return missing, False
    proxy = Proxy(check.entry_point, session.ask)
    outcomes = Outcomes(suite.total, suite.caught, lambda: suite.sources, proxy.called)
    finished = run_tests(check, suite, outcomes, proxy)
    if finished and not outcomes.swallowed:
        return Verdict(Level.FULL, suite.total, suite.total), True
    level = Level.PARTIAL if outcomes.passed else Level.LOAD
    found = Verdict(level, outcomes.passed, suite.total, outcomes.failure, outcomes.detail)
    return found, finished


def asked(check: Check, suite: Suite, reply: Any) -> list[Any]:
    """The calls that tests make when every answer is this one; none if they end early or go on."""
    calls: list[Any] = []

    def ask(call: Any) -> Any:
        if len(calls) == MAX_CALLS:
            raise DivergedError  # perhaps they wait for another answer
        calls.append(call)
        return reply

    return calls if rehearse(check, suite, ask) else []


def abides(check: Check, suite: Suite, calls: Sequence[Any], reply: Any) -> bool:
    """Whether tests make these calls and no other, to their end or an early one, when every
    answer is this one.
    """
    coming = iter(calls)

    def ask(call: Any) -> Any:
        if next(coming, None) != call:
            raise DivergedError
        return reply

    return rehearse(check, suite, ask) is not None


def rehearse(check: Check, suite: Suite, ask: Ask) -> bool | None:
    """Runs tests without a solution; whether they came to their end, None if broken off."""
    outcomes = Outcomes(suite.total, suite.caught)
    try:
        with cut_off(REHEARSAL_SECONDS, DivergedError):
            return run_tests(check, suite, outcomes, Proxy(check.entry_point, ask))
    except DivergedError:
        return None


def run_tests(check: Check, suite: Suite, outcomes: Outcomes, candidate: Any) -> bool:
    """Runs the tests in this process against `candidate`; True when they came to their end.

    Every failure lands in `outcomes`.
    """
    random.seed(0)  # some data sets draw their inputs: the same ones for every solution
    namespace: dict[str, Any] = {"__name__": "tests", GUARDS: outcomes.guards}
    try:
        exec(suite.helpers, namespace)  # noqa: S102  the data set's own code, never the candidate's
        namespace[check.entry_point] = candidate
        exec(suite.code, namespace)  # noqa: S102
        if check.tests.style == "check":
            namespace["check"](candidate)
    except FAILURES as error:
        outcomes.note(error)
        return False
    return True
