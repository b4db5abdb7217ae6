"""Judges one check: the trusted tests run here, the solution runs in the cage."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Level, Verdict
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.asserts import Suite, prepare
from pytest_coderobust.sandbox.judge.conversation import (
    BatchConversation,
    Conversation,
    DivergedError,
    LiveConversation,
    Starved,
)
from pytest_coderobust.sandbox.judge.in_process import examine_in_process
from pytest_coderobust.sandbox.judge.loading import judge_loading
from pytest_coderobust.sandbox.judge.outcome import CandidateGone, Outcomes, describe_error
from pytest_coderobust.sandbox.judge.packaged import PackagedZygotes
from pytest_coderobust.sandbox.judge.prediction import (
    REHEARSAL_SECONDS,
    CallList,
    Predictions,
    TestsAndName,
    predict,
)
from pytest_coderobust.sandbox.judge.proxy import Proxy
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
        packaged: has the zygotes of checks with packages; None where none come.
        rehearsal_seconds: real time for finding out which calls a set of tests makes.

    Attributes:
        starved: whether the last verdict is a timeout that is the machine's fault.
        learned: the calls that the last check's tests turned out to make; None: nothing new.
    """

    def __init__(
        self,
        zygote: Zygote,
        tier: str,
        cages: Cages | None = None,
        *,
        packaged: PackagedZygotes | None = None,
        rehearsal_seconds: float = REHEARSAL_SECONDS,
    ) -> None:
        self._zygote = zygote
        self._tier = tier
        self._cages = cages
        self._packaged = packaged
        self._rehearsal_seconds = rehearsal_seconds
        self._predictions = Predictions()
        self.starved: Starved = ""
        self.learned: CallList | None = None

    @property
    def forks(self) -> int:
        """Number of candidates' processes so far."""
        return self._zygote.forks if self._packaged is None else self._packaged.forks

    def prepare(self, check: Check) -> None:
        """Makes ready what a check needs; takes seconds before the first check with packages.

        Raises:
            SandboxError: its packages cannot be used here.
        """
        if self._packaged is not None:
            self._zygote = self._packaged.choose(check.packages)
        elif check.packages:
            raise SandboxError("nothing here has packages")

    def build_together(self, checks: Sequence[Check]) -> None:
        """Compiles checks of one language that are judged next, as far as that is possible.

        Raises:
            ZygoteLostError: a zygote is gone.
        """
        with suppress(SandboxError):  # `judge` says it of each of them
            if self._cages is not None:
                self._cages.build_together(checks)

    def judge(self, check: Check) -> Verdict:
        """Runs one check to its verdict.

        Raises:
            SandboxError: the tests are not valid Python, or the check's packages cannot be used;
                nothing is known about the solution.
            ZygoteLostError: the zygote is gone, and this judge with it.
        """
        self.starved, self.learned = "", None
        self.prepare(check)
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

    def learn(self, key: TestsAndName, calls: CallList) -> None:
        """Takes over calls that another judge learned."""
        self._predictions.learn(key, calls)

    def _judge_at_once(self, check: Check, suite: Suite) -> Verdict | None:
        """Judges by one exchange; None when the tests make a call that was not predicted."""
        key = (check.tests, check.entry_point)
        calls = self._predictions.get(key)
        # At once, a solution also gets calls that its tests never come to: they would be counted.
        if not calls or check.api_changes:
            return None
        conversation = BatchConversation(self._zygote, check.limits, calls)
        try:
            found, _ = examine(check, suite, conversation)
        except DivergedError:
            found = None
        if conversation.flooded:
            return None  # one by one, answers may be that large
        if conversation.diverged or found is None:
            self._keep(key, [])
            return None
        return self._verdict(found, conversation)

    def _judge_live(self, check: Check, suite: Suite) -> Verdict:
        conversation = LiveConversation(self._zygote, check.limits, check.api_changes)
        try:
            found, finished = examine(check, suite, conversation)
        finally:
            conversation.close()
        key = (check.tests, check.entry_point)
        if finished and self._predictions.get(key) is None:
            self._keep(key, predict(check, suite, conversation.calls, self._rehearsal_seconds))
        return self._verdict(found, conversation)

    def _keep(self, key: TestsAndName, calls: CallList) -> None:
        self._predictions.learn(key, calls)
        self.learned = calls

    def _judge_in_process(self, check: Check, suite: Suite) -> Verdict:
        conversation = LiveConversation(self._zygote, check.limits, check.api_changes)
        try:
            found = examine_in_process(check, suite, conversation)
        finally:
            conversation.close()
        return replace(self._verdict(found, conversation), in_process=True)

    def _verdict(self, found: Verdict, conversation: Conversation) -> Verdict:
        end = conversation.close()
        if end.reason == "lost":
            raise ZygoteLostError("the fork server ended during a check")
        self.starved = conversation.starved if found.failure == "timeout" else ""
        return replace(found, tier=self._tier, cpu_seconds=end.cpu_seconds, api_uses=end.api_uses)


def count(check: Check) -> int:
    """Counts the tests of a check. Raises SandboxError when they cannot be read."""
    if check.language != "python":
        return runners.count(check.language, check.tests)
    if check.tests.style == "stdio":
        return len(read_cases(check.tests.source))
    return prepare(check.tests).total


def examine(check: Check, suite: Suite, conversation: Conversation) -> tuple[Verdict, bool]:
    """Runs tests in a conversation; returns a verdict, and whether the tests came to their end.

    Tier and processor time are left to fill in.
    """
    try:
        loaded = conversation.load(check.solution, check.entry_point)
    except CandidateGone as gone:
        return Verdict(Level.COMPILE, 0, suite.total, gone.kind, describe_error(gone)), False
    missing = judge_loading(loaded, check, suite.total)
    if missing is not None:
        return missing, False
    proxy = Proxy(check.entry_point, conversation.ask)
    outcomes = Outcomes(
        suite.total,
        suite.caught,
        lambda: suite.sources,
        proxy.called,
        proxy.lost,
        lambda: suite.identities,
    )
    finished = run_tests(check, suite, outcomes, proxy)
    if finished and not outcomes.swallowed:
        return Verdict(Level.FULL, suite.total, suite.total), True
    level = Level.PARTIAL if outcomes.passed else Level.LOAD
    found = Verdict(level, outcomes.passed, suite.total, outcomes.failure, outcomes.detail)
    return found, finished
