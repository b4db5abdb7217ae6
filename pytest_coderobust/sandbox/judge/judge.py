"""One check, judged: the trusted tests run here, the solution runs in the cage."""

from __future__ import annotations

from dataclasses import replace

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Level, Verdict
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.asserts import Suite, prepare
from pytest_coderobust.sandbox.judge.conversation import (
    BatchSession,
    Conversation,
    DivergedError,
    LiveSession,
    Starved,
)
from pytest_coderobust.sandbox.judge.in_process import examine_in_process
from pytest_coderobust.sandbox.judge.loading import not_loaded
from pytest_coderobust.sandbox.judge.outcome import CandidateGone, Outcomes, one_line
from pytest_coderobust.sandbox.judge.proxy import Proxy
from pytest_coderobust.sandbox.judge.rehearsal import asks_alike
from pytest_coderobust.sandbox.judge.scripts import Asking, Calls, Scripts, short
from pytest_coderobust.sandbox.judge.stdio import judge_stdio, read_cases
from pytest_coderobust.sandbox.judge.trial import run_tests
from pytest_coderobust.sandbox.judge.zygote import Zygote, ZygoteLostError
from pytest_coderobust.sandbox.languages import runners
from pytest_coderobust.sandbox.languages.cages import Cages


class CheckRunner:
    """Judges checks one after another over one zygote.

    Args:
        tier: the isolation that the zygote set up, for the verdicts.
        cages: judges what is not Python; None where nothing else comes.

    Attributes:
        starved: whether the last verdict is a timeout that is the machine's fault.
        learned: the script that the last check's tests turned out to have; None: nothing new.
    """

    def __init__(self, zygote: Zygote, tier: str, cages: Cages | None = None) -> None:
        self._zygote = zygote
        self._tier = tier
        self._cages = cages
        self._scripts = Scripts()
        self.starved: Starved = ""
        self.learned: Calls | None = None

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
        self.starved, self.learned = "", None
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

    def learn(self, asking: Asking, calls: Calls) -> None:
        """Takes over a script that another judge learned."""
        self._scripts.learn(asking, calls)

    def _judge_at_once(self, check: Check, suite: Suite) -> Verdict | None:
        """A verdict from one exchange; None when the tests ask what was not foreseen."""
        asking = (check.tests, check.entry_point)
        calls = self._scripts.get(asking)
        # At once, a solution also gets calls that its tests never come to: they would be counted.
        if not calls or check.api_changes:
            return None
        session = BatchSession(self._zygote, check.limits, calls)
        try:
            found, _ = examine(check, suite, session)
        except DivergedError:
            found = None
        if session.flooded:
            return None  # one by one, answers may be that large
        if session.diverged or found is None:
            self._keep(asking, [])
            return None
        return self._verdict(found, session)

    def _judge_live(self, check: Check, suite: Suite) -> Verdict:
        session = LiveSession(self._zygote, check.limits, check.api_changes)
        try:
            found, finished = examine(check, suite, session)
        finally:
            session.close()
        asking, calls = (check.tests, check.entry_point), session.calls
        if finished and self._scripts.get(asking) is None:
            fixed = short(calls) and asks_alike(check, suite, calls)
            self._keep(asking, calls if fixed else [])
        return self._verdict(found, session)

    def _keep(self, asking: Asking, calls: Calls) -> None:
        self._scripts.learn(asking, calls)
        self.learned = calls

    def _judge_in_process(self, check: Check, suite: Suite) -> Verdict:
        session = LiveSession(self._zygote, check.limits, check.api_changes)
        try:
            found = examine_in_process(check, suite, session)
        finally:
            session.close()
        return replace(self._verdict(found, session), in_process=True)

    def _verdict(self, found: Verdict, session: Conversation) -> Verdict:
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


def examine(check: Check, suite: Suite, session: Conversation) -> tuple[Verdict, bool]:
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
