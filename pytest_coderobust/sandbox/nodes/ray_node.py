"""Nodes of a Ray cluster: one actor each, which has all lanes of its machine.

One actor, and not one a core: a check that a busy machine starved is tried again alone on its
machine, which only a sandbox that has the whole of it can promise.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.sandbox.nodes.facts import JudgeFacts, compare_facts, list_tiers
from pytest_coderobust.sandbox.nodes.frames import read_facts_frame
from pytest_coderobust.sandbox.nodes.judging import BENCH, attest_frame, judge_frames
from pytest_coderobust.sandbox.nodes.node import OPEN_SECONDS

LOOK_SECONDS = 0.2
END_SECONDS = 5.0


class RayJudge:
    """The actor. Ray runs several of its calls at a time, each in a thread."""

    def __init__(self, lanes: int, tiers: Sequence[str]) -> None:
        self._wish = (lanes, tuple(tiers))

    def attest(self) -> bytes:
        return attest_frame(*self._wish)

    def judge(self, frames: list[bytes]) -> list[bytes]:
        return judge_frames(frames, *self._wish)

    def end(self) -> None:
        BENCH.close()


@dataclass(frozen=True, slots=True)
class RayMachine:
    """A machine of the cluster.

    Attributes:
        id: Ray's own.
        lanes: processors that it offers, or fewer where the user wants fewer.
    """

    id: str
    name: str
    lanes: int


class RayNode:
    """A machine with an actor on it, which starts at once; `confirm` waits for it.

    Args:
        ray: the module; it is connected.
        facts: those that the machine must have.
        closed: set when neither this node nor one in its place is wanted any more.
    """

    def __init__(
        self,
        ray: Any,
        machine: RayMachine,
        facts: JudgeFacts,
        closed: threading.Event | None = None,
    ) -> None:
        self._ray = ray
        self._machine = machine
        self._facts = facts
        self._closed = closed or threading.Event()
        self._actor, self._attested = self._start()

    def _start(self) -> tuple[Any, Any]:
        machine = self._machine
        strategies: Any = import_module("ray.util.scheduling_strategies")
        kind = self._ray.remote(
            num_cpus=machine.lanes,
            # Calls of the coordinator, which has one more than lanes, and those of ours.
            max_concurrency=machine.lanes + 3,
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy=strategies.NodeAffinitySchedulingStrategy(machine.id, soft=False),
        )(RayJudge)
        actor = kind.remote(machine.lanes, list_tiers(self._facts.tier))
        return actor, actor.attest.remote()

    @property
    def name(self) -> str:
        return self._machine.name

    @property
    def lanes(self) -> int:
        return self._machine.lanes

    def confirm(self, due: float) -> None:
        """Waits until the actor has told its facts; ends it if they are not the right ones.

        Args:
            due: on the monotonic clock.

        Raises:
            SandboxError: they are not, or it cannot start.
        """
        try:
            frame = self._wait(due)
            if different := compare_facts(self._facts, read_facts_frame(frame)):
                raise SandboxError(different)
        except Exception as error:
            self._end()
            if isinstance(error, SandboxError):
                raise
            raise SandboxError(explain(error)) from None

    def _wait(self, due: float) -> object:
        while not self._closed.is_set():
            done, _ = self._ray.wait([self._attested], timeout=LOOK_SECONDS)
            if done:
                return self._ray.get(self._attested)
            if time.monotonic() > due:
                raise SandboxError(
                    f"it did not start in {OPEN_SECONDS:.0f} s; others may hold its "
                    f"{self.lanes} processors"
                )
        raise SandboxError("the sandbox was closed")

    def judge(self, frames: list[bytes]) -> Future[list[bytes]]:
        sent: Future[list[bytes]] = self._actor.judge.remote(frames).future()
        return sent

    def survives(self, error: BaseException) -> bool:
        """Whether our own code failed there, and not the actor."""
        return isinstance(error, self._ray.exceptions.RayTaskError)

    def replace(self) -> RayNode:
        self._kill()
        if self._machine.id not in {each.id for each in list_machines(self._ray)}:
            raise SandboxError("it has left the cluster")
        node = RayNode(self._ray, self._machine, self._facts, self._closed)
        node.confirm(time.monotonic() + OPEN_SECONDS)
        return node

    def close(self) -> None:
        self._closed.set()
        self._end()

    def _end(self) -> None:
        """Ends the actor: by its own hand, so that its folders go too, and by Ray's."""
        with suppress(Exception):
            self._ray.wait([self._actor.end.remote()], timeout=END_SECONDS)
        self._kill()

    def _kill(self) -> None:
        with suppress(Exception):
            self._ray.kill(self._actor)


def list_machines(ray: Any, most: int | None = None) -> list[RayMachine]:
    """Lists the machines that offer processors, by name.

    Args:
        most: lanes of each, at most.
    """
    found = [
        RayMachine(
            str(row["NodeID"]),
            f"{row['NodeManagerHostname']} ({row['NodeManagerAddress']}, {row['NodeID'][:8]})",
            min(int(row["Resources"].get("CPU", 0)), most or 1 << 20),
        )
        for row in ray.nodes()
        if row["Alive"]
    ]
    return sorted((each for each in found if each.lanes), key=lambda each: each.name)


def explain(error: BaseException) -> str:
    """The one line of an error of Ray that says most."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith("ModuleNotFoundError:")]
    return (telling or lines or [type(error).__name__])[-1 if telling else 0][:300]
