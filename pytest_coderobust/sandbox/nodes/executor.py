"""A sandbox of any `concurrent.futures.Executor`: a pool of processes, Dask's, MPI's, Parsl's."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field

from pytest_coderobust.errors import SandboxError, UnknownName, UsageError
from pytest_coderobust.sandbox.cage.plan import LADDER
from pytest_coderobust.sandbox.nodes.facts import (
    JudgeFacts,
    compare_facts,
    find_facts,
    find_tier,
    list_tiers,
)
from pytest_coderobust.sandbox.nodes.frames import read_facts_frame
from pytest_coderobust.sandbox.nodes.judging import attest_frame, judge_frames
from pytest_coderobust.sandbox.nodes.node import OPEN_SECONDS
from pytest_coderobust.sandbox.nodes.sandbox import NodeSandbox

LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class ExecutorNode:
    """All processes of an executor as one node.

    Attributes:
        lanes: checks judged at a time in all of them.
        each: of one process.
        tiers: the isolation that each tries.
        patience: seconds in which one of them must answer, after a call that none answered.
        closed: set when the node is not wanted any more.
    """

    executor: Executor
    lanes: int
    each: int
    tiers: tuple[str, ...]
    patience: float = OPEN_SECONDS
    closed: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        return type(self.executor).__name__

    def judge(self, frames: list[bytes]) -> Future[list[bytes]]:
        try:
            return self.executor.submit(judge_frames, frames, self.each, self.tiers)
        except RuntimeError as error:  # its owner has shut it down, or it is broken
            raise BrokenExecutor(str(error)) from None

    def survives(self, error: BaseException) -> bool:
        return not isinstance(error, BrokenExecutor)

    def replace(self) -> ExecutorNode:
        """Goes on without what hangs, which nobody can end, if any process still answers.

        Raises:
            SandboxError: none does, or the executor is broken.
        """
        self.attest(self.patience)
        return self

    def attest(self, seconds: float = math.inf) -> JudgeFacts:
        """Asks the process that is free first for its facts.

        Args:
            seconds: until it must have told them; processes may wait long to be started.

        Raises:
            SandboxError: it has none, or none is free in time, or the executor is broken.
        """
        due = time.monotonic() + seconds
        try:
            told = self.executor.submit(attest_frame, self.each, self.tiers)
            while not wait([told], min(LOOK_SECONDS, seconds)).done:
                if self.closed.is_set():
                    raise SandboxError("the sandbox was closed")
                if time.monotonic() >= due:
                    raise SandboxError(f"no process of it answers in {seconds:.0f} s")
            frame = told.result()
        except SandboxError:
            raise
        except Exception as error:  # noqa: BLE001  foreign code, with errors of many kinds
            why = f"{type(error).__name__}: {error}".partition("\n")[0][:300]
            raise SandboxError(f"it cannot be called: {why}") from None
        return read_facts_frame(frame)

    def close(self) -> None:
        """Ends a `replace` under way; the executor is its owner's."""
        self.closed.set()


class ExecutorSandbox(NodeSandbox):
    """A Sandbox whose checks are judged in the processes of an executor.

    Each process opens a sandbox of its own with its first check. The executor stays open; its owner
    closes it after the sandbox.

    Args:
        lanes: checks that each of its processes judges at a time; on a machine with several
            processes their lanes add up.
        processes: of the executor.
        tier: the isolation to demand; the default is the one that works in this process.

    Raises:
        SandboxError: no isolation works here or there, or a process there judges in another way.
        UnknownName: a tier that does not exist.
        UsageError: fewer than one lane or process.
    """

    def __init__(
        self, executor: Executor, lanes: int, *, processes: int = 1, tier: str | None = None
    ) -> None:
        if lanes < 1 or processes < 1:
            raise UsageError(f"{lanes} lanes of {processes} processes: each must be at least 1")
        if tier is not None and tier not in LADDER:
            raise UnknownName("sandbox tier", tier, LADDER)
        facts = find_facts(find_tier() if tier is None else tier)
        node = ExecutorNode(executor, lanes * processes, lanes, list_tiers(facts.tier))
        try:
            there = node.attest()
        except SandboxError as error:
            raise SandboxError(f"{node.name}: {error}") from None
        if different := compare_facts(facts, there):
            raise SandboxError(f"{node.name} judges in another way: {different}")
        super().__init__([node], facts)
