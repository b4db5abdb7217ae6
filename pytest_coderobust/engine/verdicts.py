"""Verdicts of checks: read from the ledger, or reached in the sandbox and stored there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait

from pytest_coderobust.config.suite import SuiteConfig
from pytest_coderobust.engine.events import ChecksJudged, Listener
from pytest_coderobust.engine.keys import find_packages, make_verdict_key
from pytest_coderobust.errors import SandboxError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.extraction.solution import extract, extract_program
from pytest_coderobust.records import (
    Completion,
    Level,
    Packages,
    Row,
    Sampling,
    Task,
    Usage,
    Verdict,
    digest,
)
from pytest_coderobust.sandbox.check import Check, Sandbox
from pytest_coderobust.sandbox.packages.demand import demand_packages

WAITING_EACH = 8
WAITING = 256
"""Checks that may wait for their verdict, for each worker and in all, while a server is asked."""

REFUSED_KEY = digest("verdict", "refused")
REFUSED = Verdict(Level.NONE, 0, 0, "refused", "the server would not answer")
"""The verdict on an answer that a server would not give: nothing was judged."""


class VerdictStore:
    """A sandbox whose verdicts are kept in a ledger."""

    def __init__(self, sandbox: Sandbox, ledger: Ledger, listen: Listener) -> None:
        self._sandbox = sandbox
        self._ledger = ledger
        self._listen = listen
        self._running: dict[Future[Verdict], str] = {}
        self._failed: dict[str, SandboxError] = {}

    @property
    def tier(self) -> str:
        """The isolation tier in force, part of every verdict's key."""
        return self._sandbox.tier

    def demand(self, packages: Packages, where: str) -> None:
        """Refuses packages that do not work in the sandbox. Raises SandboxError."""
        demand_packages(self._sandbox, packages, where)

    def key(self, check: Check) -> str:
        return make_verdict_key(check, self.tier)

    def unknown(self, checks: Iterable[Check]) -> dict[str, Check]:
        """The checks that have no verdict and are not being judged, by key."""
        keyed = {self.key(check): check for check in checks}
        known = self._ledger.find_verdicts(keyed)
        running = set(self._running.values())
        return {
            key: check for key, check in keyed.items() if key not in known and key not in running
        }

    def begin(self, checks: Iterable[Check]) -> None:
        """Submits the unknown checks, and stores the verdicts that were reached meanwhile."""
        for key, check in self.unknown(checks).items():
            self._failed.pop(key, None)
            self._running[self._sandbox.submit(check)] = key
        self._store({future for future in self._running if future.done()})

    def is_pressed(self) -> bool:
        """Says whether so many checks wait that no more answers should be asked for."""
        most = WAITING_EACH * self._sandbox.workers + WAITING
        if len(self._running) >= most:
            self._store({future for future in self._running if future.done()})
        return len(self._running) >= most

    def relieve(self) -> None:
        """Waits until at least one more check has its verdict stored."""
        if self._running:
            done, _ = wait(self._running, return_when=FIRST_COMPLETED)
            self._store(done)

    def finish(self) -> None:
        """Waits until every submitted check has its verdict stored."""
        while self._running:
            self.relieve()

    def verdicts(self, checks: Iterable[Check]) -> Mapping[str, Verdict]:
        """The verdict of every check, by key.

        Raises:
            SandboxError: the harness failed on one of them, which has no verdict.
        """
        keyed = {self.key(check): check for check in checks}
        # What is judged already is read once, as it is for each item of a window.
        known = self._ledger.verdicts(keyed)
        if len(known) == len(keyed) and not self._running:
            return known
        self.begin(keyed.values())
        self.finish()
        for key in keyed:
            if key in self._failed:
                raise self._failed[key]
        return self._ledger.verdicts(keyed)

    def refuse(self) -> tuple[str, Verdict]:
        """The verdict on a refused answer with its key, stored like any other."""
        self._ledger.add_verdicts({REFUSED_KEY: REFUSED})
        return REFUSED_KEY, REFUSED

    def in_order(self, checks: Sequence[Check]) -> list[Verdict]:
        """The verdict of every check, in order; raises what `verdicts` raises."""
        found = self.verdicts(checks)
        return [found[self.key(check)] for check in checks]

    def close(self) -> None:
        """Closes the sandbox; the verdicts stay in the ledger."""
        self._sandbox.close()

    def _store(self, done: Iterable[Future[Verdict]]) -> None:
        found: dict[str, Verdict] = {}
        count = 0
        for future in done:
            key = self._running.pop(future)
            count += 1
            try:
                found[key] = future.result()
            except SandboxError as error:
                self._failed[key] = error
        self._ledger.add_verdicts(found)
        if count:
            self._listen(ChecksJudged(count))


class JudgeBrake:
    """A brake on rows that go to a server: judging must keep pace with the answers."""

    def __init__(self, judge: VerdictStore) -> None:
        self._judge = judge

    def begin(self) -> None:
        """Needs no note."""

    def holds(self, row: Row, sampling: Sampling) -> bool:  # noqa: ARG002
        return self._judge.is_pressed()

    def release(self) -> None:
        self._judge.relieve()

    def sent(self, row: Row, sampling: Sampling) -> None:
        """Needs no note: what is judged counts, and not what is asked."""

    def resends(self, row: Row, sampling: Sampling) -> bool:  # noqa: ARG002
        return True

    def settled(self, row: Row, completion: Completion, usage: Usage) -> None:
        """Needs no note either."""


def make_check(task: Task, completion: str, config: SuiteConfig, *, whole: bool = False) -> Check:
    """Makes the check of a completion that follows the clean prompt, never a perturbed one.

    Args:
        whole: the completion is a program that follows no prompt.
    """
    read = extract_program if whole else extract
    return Check(
        solution=read(completion, task, config.extraction, config.reading),
        entry_point=task.entry_point,
        tests=task.tests,
        limits=config.limits,
        language=task.language,
        api_changes=task.api_changes,
        packages=find_packages(config, task.language),
    )
