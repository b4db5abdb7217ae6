"""Nodes that judge nothing: they answer, die and hang as a script says."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Level, Tests, Verdict
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.nodes.facts import JudgeFacts
from pytest_coderobust.sandbox.nodes.frames import (
    read_check_frame,
    write_error_frame,
    write_reply_frame,
)

FACTS = JudgeFacts("ns", "judge", "1.0", "CPython 3", "g++", "")
TESTS = Tests("assert f(2) == 4\n", "asserts")


class NodeDeathError(Exception):
    """The end of a scripted node."""


class RefusalError(Exception):
    """A call that fails on a node that goes on."""


def make_check(solution: str, task: int = 0) -> Check:
    return Check(solution, f"f{task}", TESTS)


@dataclass(eq=False)
class ScriptedNode:
    """A node whose checks say what becomes of it.

    A solution that begins with "kill" ends it, with "refuse" fails the call, with "hang" gets no answer,
    nor does "once" the first time, with "short" gets too few answers, with "error" the harness's
    failure, with "foreign" a verdict of a process that judges in another way.

    Attributes:
        lives: times it can be replaced.
        seen: the solutions of each call.
        at_call: by solution, done when it comes for the first time.
        lived: by solution, the lives that the node had when it came last.
        instead: by solution, what a call with it gives, in the place of a judge's answers.
        beside: by solution, the number of others on the node each time it came.
    """

    name: str
    lanes: int
    threads: ThreadPoolExecutor
    lives: int = 1_000_000
    seen: list[list[str]] = field(default_factory=list)
    beside: dict[str, list[int]] = field(default_factory=dict)
    replaced: int = 0
    at_call: dict[str, Callable[[], None]] = field(default_factory=dict)
    lived: dict[str, int] = field(default_factory=dict)
    instead: dict[str, list[Future[list[bytes]]]] = field(default_factory=dict)
    closed: list[int] = field(default_factory=list)
    _running: set[int] = field(default_factory=set)

    def judge(self, frames: list[bytes]) -> Future[list[bytes]]:
        checks = [read_check_frame(frame) for frame in frames]
        number = len(self.seen)
        for check in checks:
            self.lived[check.solution] = self.lives
            self.at_call.pop(check.solution, lambda: None)()
        for check in checks:
            others = len(self._running) + len(checks) - 1
            self.beside.setdefault(check.solution, []).append(others)
        self._running.add(number)
        self.seen.append([check.solution for check in checks])
        first = {"hang", *(text for text, found in self.beside.items() if len(found) == 1)}
        if any(check.solution in first and check.solution in ("hang", "once") for check in checks):
            return Future()
        if given := self.instead.get(checks[0].solution):
            self._running.discard(number)
            return given.pop()
        return self.threads.submit(self._answer, checks, number)

    def _answer(self, checks: list[Check], number: int) -> list[bytes]:
        self._running.discard(number)
        words = {check.solution.partition(" ")[0] for check in checks}
        if "kill" in words:
            raise NodeDeathError("out of memory")
        if "refuse" in words:
            raise RefusalError("no")
        found = [self._write(check) for check in checks]
        return found[1:] if "short" in words else found

    def _write(self, check: Check) -> bytes:
        if check.solution.startswith("error"):
            return write_error_frame("the tests cannot be run")
        tier = "no-ns" if check.solution.startswith("foreign") else "ns"
        facts = JudgeFacts(tier, *[getattr(FACTS, name) for name in JudgeFacts.__slots__[1:]])
        return write_reply_frame(facts, Verdict(Level.FULL, 1, 1, "", check.solution))

    def survives(self, error: BaseException) -> bool:
        return not isinstance(error, NodeDeathError)

    def replace(self) -> ScriptedNode:
        if not self.lives:
            raise SandboxError("its machine is gone")
        self.replaced += 1
        return replace(self, lives=self.lives - 1, replaced=0, _running=set())

    def close(self) -> None:
        self.closed.append(self.lives)
