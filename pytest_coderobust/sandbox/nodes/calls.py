"""Calls of nodes: what was sent, until when an answer is due, and the state of each node."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum

from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.languages.warm import COMPILE_SECONDS
from pytest_coderobust.sandbox.nodes.node import JudgeNode
from pytest_coderobust.sandbox.nodes.waiting import NodeCheck

SPARE_SECONDS = 60.0
"""Added to twice the time that the checks of a node may take, before it counts as hanging."""


def bound_seconds(check: Check) -> float:
    """Bounds the wall time of a check where no others wait for the processors, with compiling."""
    compiling = 0.0 if check.language == "python" else COMPILE_SECONDS
    return check.limits.wall_seconds + compiling


class SeatState(Enum):
    """The state of a node."""

    OPEN = "open"
    REPLACING = "replacing"
    GONE = "gone"


@dataclass(slots=True, eq=False)
class NodeCall:
    """Checks that were sent together.

    Attributes:
        node: the one it goes to, even if that has been replaced before it is sent.
        due: time, in seconds of the monotonic clock, after which the node counts as hanging.
        alone: the one check of a call beside which the node gets no other.
    """

    checks: list[NodeCheck]
    node: JudgeNode
    due: float
    alone: bool = False

    def read_answers(self, sent: Future[list[bytes]]) -> list[bytes]:
        """Reads what came back. Raises what the node did, or ValueError for too few or many."""
        frames = sent.result()
        if len(frames) != len(self.checks):
            raise ValueError(f"{len(frames)} answers to {len(self.checks)} checks")
        return frames


@dataclass(slots=True, eq=False)
class NodeSeat:
    """A node with its calls under way.

    Attributes:
        number: its place among the nodes.
        why: the reason why it is gone.
    """

    number: int
    node: JudgeNode
    state: SeatState = SeatState.OPEN
    calls: list[NodeCall] = field(default_factory=list[NodeCall])
    why: str = ""

    @property
    def alone(self) -> bool:
        """Whether it has a check that must be alone."""
        return any(call.alone for call in self.calls)

    @property
    def slots(self) -> int:
        """Number of further calls that it can have.

        One call more than lanes: where each holds a slow check, every lane has one, and one waits.
        """
        if self.state is not SeatState.OPEN or self.alone:
            return 0
        return self.node.lanes + 1 - len(self.calls)

    def begin(self, checks: list[NodeCheck], now: float, *, alone: bool = False) -> NodeCall:
        """Notes a call. It is due when all that is on the node may have taken its time twice.

        Lanes share the time of many checks, and not that of one.
        """
        held = [*checks, *(check for call in self.calls for check in call.checks)]
        limits = [check.seconds for check in held]
        seconds = max(sum(limits) / self.node.lanes, *limits)
        call = NodeCall(checks, self.node, now + 2 * seconds + SPARE_SECONDS, alone)
        self.calls.append(call)
        return call

    def end(self, call: NodeCall) -> bool:
        """Forgets a call that ended; says whether it was still known."""
        known = call in self.calls
        if known:
            self.calls.remove(call)
        return known

    def lose_calls(self) -> list[NodeCheck]:
        """Forgets every call; returns their checks."""
        lost = [check for call in self.calls for check in call.checks]
        self.calls.clear()
        return lost
