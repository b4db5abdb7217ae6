"""Judges checks whose tests cannot be split from the solution: in its process, and labelled.

The verdict is the word of a process that ran the solution, so a hostile one can pass. Nothing else
changes: it is caged, limited and ended like every other.
"""

from __future__ import annotations

from typing import Any

from pytest_coderobust.records import FailureKind, Level, Verdict
from pytest_coderobust.sandbox.cage.frames import WireError
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.asserts import Suite, prepare, write_guarded
from pytest_coderobust.sandbox.judge.conversation import LiveConversation
from pytest_coderobust.sandbox.judge.loading import judge_loading
from pytest_coderobust.sandbox.judge.outcome import DETAIL, CandidateGone, describe_error


class InProcessReports:
    """Reports of the solution's process about its tests."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self.ran = [False] * suite.total
        self.failed = [False] * suite.total
        self.finished = False
        self.failure: FailureKind = ""
        self.detail = ""

    def take(self, message: Any) -> bool:
        """Reads one message; returns whether more are to come. Raises WireError for junk."""
        if "finished" in message:
            self.finished = message["finished"] is True
            if not self.finished:
                self.note(message)
            return False
        index = message.get("assert")
        if type(index) is not int or not 0 <= index < self._suite.total:
            raise WireError("a report about no test")
        self.ran[index] = True
        if "kinds" in message:
            self.failed[index] = True
            if message.get("swallowed") is True:
                self.note(message, index)
        return True

    def note(self, message: Any, index: int = -1) -> None:
        """Keeps the first failure, in words."""
        if self.failure:
            return
        kinds = [str(kind) for kind in message.get("kinds") or ["unknown"]]
        self.failure = "memory" if "MemoryError" in kinds else "exception"
        if message.get("own") is True and self.failure == "exception":
            self.failure = "wrong-answer"
        text = " ".join(str(message.get("text", "")).split())
        self.detail = (f"{kinds[0]}: {text}" if text else kinds[0])[:DETAIL]
        if 0 <= index < len(self._suite.sources):
            self.detail += f" in: assert {self._suite.sources[index]}"

    @property
    def passed(self) -> int:
        return sum(ran and not bad for ran, bad in zip(self.ran, self.failed, strict=True))

    def verdict(self, gone: CandidateGone | None) -> Verdict:
        """Makes the verdict; `gone` says why the process ended before its tests, or is None."""
        total = self._suite.total
        if gone is not None and not self.failure:
            self.failure, self.detail = gone.kind, describe_error(gone)
        if self.finished and not any(self.failed):
            return Verdict(Level.FULL, total, total)
        level = Level.PARTIAL if self.passed else Level.LOAD
        return Verdict(level, self.passed, total, self.failure or "wrong-answer", self.detail)


def make_request(check: Check) -> Any:
    """Makes the message for the candidate's process."""
    suite = prepare(check.tests)
    return {
        "source": check.solution,
        "entry_point": check.entry_point,
        "tests": {
            "source": write_guarded(check.tests),
            "helpers": check.tests.helpers,
            "style": check.tests.style,
            "total": suite.total,
            "caught": sorted(suite.caught),
        },
    }


def examine_in_process(check: Check, suite: Suite, conversation: LiveConversation) -> Verdict:
    """Runs the tests in the solution's process and reads its reports."""
    try:
        loaded = conversation.exchange(make_request(check))
    except CandidateGone as gone:
        return Verdict(Level.COMPILE, 0, suite.total, gone.kind, describe_error(gone))
    found = judge_loading(loaded, check, suite.total)
    if found is not None:
        return found
    heard = InProcessReports(suite)
    try:
        for _ in range(2 * suite.total + 2):  # each assert reports twice at most
            if not heard.take(conversation.hear()):
                return heard.verdict(None)
    except CandidateGone as gone:
        return heard.verdict(gone)
    except WireError as error:
        return heard.verdict(CandidateGone("protocol", str(error)))
    return heard.verdict(CandidateGone("protocol", "more reports than tests"))
