"""A sandbox of any `concurrent.futures.Executor`: a pool of processes, Dask's, MPI's, Parsl's."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass

from pytest_coderobust.errors import SandboxError, UsageError
from pytest_coderobust.sandbox.nodes.facts import compare_facts, find_facts, find_tier, list_tiers
from pytest_coderobust.sandbox.nodes.frames import read_facts_frame
from pytest_coderobust.sandbox.nodes.judging import attest_frame, judge_frames
from pytest_coderobust.sandbox.nodes.sandbox import NodeSandbox


@dataclass(frozen=True, slots=True)
class ExecutorNode:
    """All processes of an executor as one node.

    Attributes:
        lanes: checks judged at a time in all of them.
        each: of one process.
        tiers: the isolation that each tries.
    """

    executor: Executor
    lanes: int
    each: int
    tiers: tuple[str, ...]

    @property
    def name(self) -> str:
        return type(self.executor).__name__

    def judge(self, frames: list[bytes]) -> Future[list[bytes]]:
        return self.executor.submit(judge_frames, frames, self.each, self.tiers)

    def survives(self, error: BaseException) -> bool:
        return not isinstance(error, BrokenExecutor)

    def replace(self) -> ExecutorNode:
        """Goes on without what hangs, which nobody can end; raises what a broken executor does."""
        self.executor.submit(attest_frame, self.each, self.tiers)
        return self

    def close(self) -> None:
        """Does nothing: the executor is its owner's."""


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
        UsageError: fewer than one lane or process.
    """

    def __init__(
        self, executor: Executor, lanes: int, *, processes: int = 1, tier: str | None = None
    ) -> None:
        if lanes < 1 or processes < 1:
            raise UsageError(f"{lanes} lanes of {processes} processes: each must be at least 1")
        facts = find_facts(find_tier() if tier is None else tier)
        node = ExecutorNode(executor, lanes * processes, lanes, list_tiers(facts.tier))
        frame = executor.submit(attest_frame, lanes, node.tiers).result()
        if different := compare_facts(facts, read_facts_frame(frame)):
            raise SandboxError(f"{node.name} judges in another way: {different}")
        super().__init__([node], facts)
