"""Checks that wait for a node: those of one task go to one node, and none waits while one idles."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from pytest_coderobust.records import Verdict
from pytest_coderobust.sandbox.judge.prediction import TestsAndName

HAND = 16
"""Most checks of one call: what a call costs is then small beside them."""
LEAST_HAND = 4
ON_THE_WAY = 256
"""About as many checks are on their way to one node at most, so that few are lost with it."""


@dataclass(slots=True, eq=False)
class NodeCheck:
    """A check on its way to a verdict.

    Attributes:
        about: its tests, by which a node's workers know the calls to expect.
        seconds: the wall time that it may take, with that of a compiler.
        deaths: nodes that died with it.
    """

    frame: bytes
    about: TestsAndName
    seconds: float
    future: Future[Verdict]
    deaths: int = 0
    begun: bool = False

    def begin(self) -> bool:
        """Says, when it is first dealt, whether somebody still waits for it."""
        if not self.begun:
            self.begun = True
            return self.future.set_running_or_notify_cancel()
        return True


class WaitingChecks:
    """The checks that wait, in a queue for each node.

    Args:
        lanes: of each node; nodes are numbered from 0.
    """

    def __init__(self, lanes: Sequence[int]) -> None:
        self._lanes = dict(enumerate(lanes))
        self._queues: dict[int, deque[NodeCheck]] = {node: deque() for node in self._lanes}
        self._homes: dict[TestsAndName, int] = {}
        self._tasks = dict.fromkeys(self._lanes, 0)
        self.suspects: deque[NodeCheck] = deque()
        """Checks that were on a node that died: each is judged alone there, so that one that kills
        nodes is found out."""

    def __len__(self) -> int:
        return len(self.suspects) + sum(map(len, self._queues.values()))

    def add(self, check: NodeCheck) -> None:
        """Queues a check at the node that has its task, or that has the fewest tasks for a lane."""
        home = self._homes.get(check.about)
        if home is None:
            home = min(self._queues, key=lambda node: self._tasks[node] / self._lanes[node])
            self._homes[check.about] = home
            self._tasks[home] += 1
        self._queues[home].append(check)

    def put_back(self, checks: Iterable[NodeCheck], *, alone: bool) -> None:
        """Queues checks again that were taken, and not sent."""
        for check in checks:
            (self.suspects.append if alone else self.add)(check)

    def take(self, node: int, slots: int) -> list[NodeCheck]:
        """Takes a hand of a node's own checks; the rest is left for its other free slots."""
        queue = self._queues[node]
        return [queue.popleft() for _ in range(self._measure(node, queue, slots))]

    def steal(self, node: int, slots: int) -> list[NodeCheck]:
        """Takes a hand of what waits longest behind other nodes, for one that has nothing."""
        queue = max(self._queues.values(), key=len)
        return [queue.pop() for _ in range(self._measure(node, queue, slots))]

    def _measure(self, node: int, queue: deque[NodeCheck], slots: int) -> int:
        """The size of a hand; it falls with the queue, so that nodes end at about the same time."""
        lanes = self._lanes[node]
        most = max(LEAST_HAND, min(HAND, ON_THE_WAY // lanes))
        return min(most, -(-len(queue) // max(slots, lanes + 1)))

    def drop_node(self, node: int) -> None:
        """Forgets a node; its checks go to the others. The last one keeps them for `clear`."""
        if len(self._queues) < 2:
            return
        queue = self._queues.pop(node)
        for about in [about for about, home in self._homes.items() if home == node]:
            del self._homes[about]
        while queue:
            self.add(queue.popleft())

    def clear(self) -> list[NodeCheck]:
        """Takes everything."""
        found = [*self.suspects, *(check for queue in self._queues.values() for check in queue)]
        self.suspects.clear()
        for queue in self._queues.values():
            queue.clear()
        return found
