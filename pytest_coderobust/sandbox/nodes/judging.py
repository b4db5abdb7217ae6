"""Judging of frames in a process that others call: one sandbox, opened with the first call."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing.util import Finalize

from pytest_coderobust.errors import CodeRobustError, SandboxError
from pytest_coderobust.records import Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.cage.plan import RLIMITS
from pytest_coderobust.sandbox.nodes.facts import JudgeFacts, find_facts
from pytest_coderobust.sandbox.nodes.frames import (
    read_check_frame,
    write_error_frame,
    write_facts_frame,
    write_reply_frame,
)
from pytest_coderobust.sandbox.pool.pool import Pool


@dataclass(frozen=True, slots=True)
class Bench:
    """A sandbox with the facts of its process."""

    sandbox: Pool
    facts: JudgeFacts


class ProcessBench:
    """The one bench of this process, which threads share and a forked child has not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bench: Bench | None = None
        self._inherited: Bench | None = None

    def forget(self) -> None:
        """Leaves the bench to the process that this one was forked from."""
        # It is held, because the end of its last reference would remove the parent's folders.
        self._inherited, self._bench = self._bench, None
        self._lock = threading.Lock()

    def open(self, lanes: int | None, tiers: Sequence[str] | None) -> Bench:
        """Opens the bench, or returns the one that is open, whatever was asked for it.

        Raises:
            SandboxError: no isolation works here.
        """
        with self._lock:
            if self._bench is None:
                unsafe = tiers is not None and RLIMITS in tiers
                sandbox = open_sandbox(lanes, tiers=tiers, allow_unsafe=unsafe)
                # Children of multiprocessing end without the interpreter's own exit handlers.
                Finalize(None, self.close, exitpriority=10)
                self._bench = Bench(sandbox, find_facts(sandbox.tier))
            return self._bench

    def close(self) -> None:
        """Ends the processes of the bench."""
        with self._lock:
            bench, self._bench = self._bench, None
        if bench is not None:
            bench.sandbox.close()


BENCH = ProcessBench()
os.register_at_fork(after_in_child=BENCH.forget)


def judge_frames(
    frames: list[bytes], lanes: int | None = None, tiers: Sequence[str] | None = None
) -> list[bytes]:
    """Judges checks and returns their verdicts, in order; never raises for one of them.

    The sandbox is opened with the first call of a process, and ends with the process. Threads may
    call at the same time.

    Args:
        frames: of `frames.write_check_frame`.
        lanes: checks judged at a time in this process; the default is one for each processor.
        tiers: the isolation to try, as in `open_sandbox`.

    Returns:
        frames for `frames.read_reply_frame`.
    """
    try:
        bench = BENCH.open(lanes, tiers)
    except CodeRobustError as error:
        return [write_error_frame(str(error))] * len(frames)
    return [_reply(bench, future) for future in [_submit(bench, frame) for frame in frames]]


def attest_frame(lanes: int | None = None, tiers: Sequence[str] | None = None) -> bytes:
    """Opens the sandbox of this process; returns a frame with its facts, or why there is none."""
    try:
        return write_facts_frame(BENCH.open(lanes, tiers).facts)
    except CodeRobustError as error:
        return write_error_frame(str(error))


def _submit(bench: Bench, frame: bytes) -> Future[Verdict] | str:
    """Queues a check; the text says why it cannot be one."""
    try:
        return bench.sandbox.submit(read_check_frame(frame))
    except (TypeError, ValueError, KeyError, SandboxError) as error:
        return f"the node cannot judge the check: {type(error).__name__}: {error}"


def _reply(bench: Bench, judged: Future[Verdict] | str) -> bytes:
    """Waits for a verdict, and makes it or its failure a frame."""
    if isinstance(judged, str):
        return write_error_frame(judged)
    try:
        return write_reply_frame(bench.facts, judged.result())
    except SandboxError as error:
        return write_error_frame(str(error))
