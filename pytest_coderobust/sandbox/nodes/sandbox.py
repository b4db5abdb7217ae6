"""A sandbox whose checks are judged by nodes: it deals, gathers, and outlives nodes that die."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Verdict
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.nodes.calls import NodeCall, NodeSeat, SeatState, bound_seconds
from pytest_coderobust.sandbox.nodes.dealing import take_hands
from pytest_coderobust.sandbox.nodes.facts import JudgeFacts, compare_facts
from pytest_coderobust.sandbox.nodes.frames import read_reply_frame, write_check_frame
from pytest_coderobust.sandbox.nodes.node import JudgeNode
from pytest_coderobust.sandbox.nodes.runner import OneRunner
from pytest_coderobust.sandbox.nodes.waiting import NodeCheck, WaitingChecks

if TYPE_CHECKING:
    from typing_extensions import Self

MOST_DEATHS = 2
LOOK_SECONDS = 1.0
"""Time between two looks at calls that may be overdue."""


class NodeSandbox:
    """A Sandbox over nodes. It alone decides what a verdict is kept under; nodes get only bytes.

    A node that dies gives its checks back, which are then judged one at a time: a check that two
    nodes died with fails alone. Verdicts are kept by content, so judging a check twice is harmless.

    Args:
        nodes: those that have these facts, one at least.
        facts: the coordinator's own.
        notes: what the user should know of the nodes.
    """

    def __init__(
        self, nodes: Sequence[JudgeNode], facts: JudgeFacts, notes: Sequence[str] = ()
    ) -> None:
        assert nodes
        self._facts = facts
        self._lock = threading.Lock()
        self._seats = [NodeSeat(number, node) for number, node in enumerate(nodes)]
        self._waiting = WaitingChecks([node.lanes for node in nodes])
        self._dealing = OneRunner(self._deal)
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []
        self.notes = tuple(notes)

    @property
    def tier(self) -> str:
        return self._facts.tier

    @property
    def workers(self) -> int:
        """Number of checks judged at the same time, on all nodes that are left."""
        lanes = [seat.node.lanes for seat in self._seats if seat.state is not SeatState.GONE]
        return sum(lanes) or 1

    def submit(self, check: Check) -> Future[Verdict]:
        """Queues a check. Raises SandboxError after `close`."""
        future: Future[Verdict] = Future()
        if self._closed.is_set():
            raise SandboxError("the sandbox is closed")
        try:
            frame = write_check_frame(check)
        except (TypeError, ValueError) as error:
            told = f"the check cannot be judged: {type(error).__name__}: {error}"
            future.set_exception(SandboxError(told))
            return future
        about = (check.tests, check.entry_point)
        with self._lock:
            self._waiting.add(NodeCheck(frame, about, bound_seconds(check), future))
            self._watch()
        self._dealing.run()
        return future

    def _watch(self) -> None:
        """Starts the thread that looks for overdue calls, once."""
        if not self._threads:
            watcher = threading.Thread(target=self._look_again, daemon=True)
            self._threads.append(watcher)
            watcher.start()

    def _look_again(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            self.expire(time.monotonic())
            self._dealing.run()  # what a Ctrl-C elsewhere has left

    def expire(self, now: float) -> None:
        """Takes nodes for dead that have a call which was due before a time."""
        with self._lock:
            late = [
                seat
                for seat in self._seats
                if seat.state is SeatState.OPEN and any(call.due < now for call in seat.calls)
            ]
        for seat in late:
            self._lose(seat, "it did not answer in time")

    def _deal(self) -> None:
        """Sends what waits to nodes that are free."""
        hands: deque[tuple[NodeSeat, NodeCall]] = deque()
        try:
            with self._lock:
                hands.extend(take_hands(self._seats, self._waiting, time.monotonic()))
                stranded = self._take_stranded()
            while hands:
                self._send(*hands[0])
                hands.popleft()
        except BaseException:  # Ctrl-C: what is not sent for certain is dealt once more
            with self._lock:
                for seat, call in hands:
                    self._waiting.put_back(call.checks if seat.end(call) else (), alone=call.alone)
            raise
        self._fail(stranded, self._explain_gone())

    def _take_stranded(self) -> list[NodeCheck]:
        """Takes everything where no node is left."""
        gone = all(seat.state is SeatState.GONE for seat in self._seats)
        return self._waiting.clear() if gone else []

    def _send(self, seat: NodeSeat, call: NodeCall) -> None:
        try:
            sent = call.node.judge([check.frame for check in call.checks])
        except Exception as error:  # noqa: BLE001  foreign code: any fault is the node's
            self._give_back(seat, call, error)
            self._dealing.run()
        else:
            sent.add_done_callback(partial(self._answered, seat, call))

    def _answered(self, seat: NodeSeat, call: NodeCall, sent: Future[list[bytes]]) -> None:
        try:
            frames = call.read_answers(sent)
        except BaseException as error:  # noqa: BLE001  foreign code, as above; so may its Ctrl-C be
            self._give_back(seat, call, error)
        else:
            with self._lock:
                left = deque(zip(call.checks, frames, strict=True) if seat.end(call) else ())
            try:
                while left:
                    self._settle(seat, *left[0])
                    left.popleft()
            except BaseException:  # Ctrl-C, as above
                again = [check for check, _ in left if not check.future.done()]
                with self._lock:
                    self._waiting.put_back(again, alone=call.alone)
                raise
        finally:
            self._dealing.run()

    def _settle(self, seat: NodeSeat, check: NodeCheck, frame: bytes) -> None:
        """Gives a future its verdict or its error."""
        try:
            reply = read_reply_frame(frame)
            if reply.facts != self._facts:
                different = compare_facts(self._facts, reply.facts)
                raise SandboxError(f"{seat.node.name} judges in another way: {different}")
        except SandboxError as error:
            check.future.set_exception(error)
        except Exception as error:  # noqa: BLE001  nobody would see it, and the rest of the hand wait
            why = f"{seat.node.name}: {type(error).__name__}: {error}"[:300]
            check.future.set_exception(SandboxError(f"no verdict: {why}"))
        else:
            check.future.set_result(reply.verdict)

    def _give_back(self, seat: NodeSeat, call: NodeCall, error: BaseException) -> None:
        """Takes back the checks of a call that failed, and those of its node if it died."""
        why = f"{type(error).__name__}: {error}".partition("\n")[0][:300]
        if not seat.node.survives(error):
            self._lose(seat, why, call)
            return
        with self._lock:
            failed = self._suspect(call.checks if seat.end(call) else ())
        self._fail(failed, f"no verdict after {MOST_DEATHS} tries: {seat.node.name}: {why}")

    def _lose(self, seat: NodeSeat, why: str, call: NodeCall | None = None) -> None:
        """Takes back all checks of a node that died, and has it replaced.

        Args:
            call: the one that failed; where it is not known any more, the loss is old news.
        """
        with self._lock:
            if seat.state is not SeatState.OPEN or (call is not None and call not in seat.calls):
                return
            seat.state = SeatState.REPLACING
            failed = self._suspect(seat.lose_calls())
            thread = threading.Thread(target=self._replace, args=(seat,), daemon=True)
            thread.start()
            self._threads.append(thread)
        last = f"the last was {seat.node.name}: {why}"
        self._fail(failed, f"{MOST_DEATHS} nodes died with this check, {last}")

    def _suspect(self, lost: Iterable[NodeCheck]) -> list[NodeCheck]:
        """Queues lost checks to be judged alone; returns those that were lost too often."""
        failed: list[NodeCheck] = []
        for check in lost:
            check.deaths += 1
            (failed if check.deaths >= MOST_DEATHS else self._waiting.suspects).append(check)
        return failed

    def _replace(self, seat: NodeSeat) -> None:
        """Starts a node anew; a failure ends its part."""
        try:
            if self._closed.is_set():
                raise SandboxError("the sandbox was closed")
            node = seat.node.replace()
        except Exception as error:  # noqa: BLE001  foreign code, as above
            with self._lock:
                seat.state, seat.why = SeatState.GONE, str(error).partition("\n")[0]
                self._waiting.drop_node(seat.number)
        else:
            with self._lock:
                seat.node, seat.state = node, SeatState.OPEN
            if self._closed.is_set():
                node.close()
        self._dealing.run()

    def _explain_gone(self) -> str:
        gone = [f"{seat.node.name}: {seat.why}" for seat in self._seats if seat.why]
        return f"no node is left to judge on ({'; '.join(gone)})"

    def _fail(self, checks: Iterable[NodeCheck], why: str) -> None:
        for check in checks:
            if check.begin():
                check.future.set_exception(SandboxError(why))

    def close(self) -> None:
        """Cancels what has not begun, and ends what judges on the nodes."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            left = [*self._waiting.clear(), *(c for seat in self._seats for c in seat.lose_calls())]
            for seat in self._seats:
                seat.state = SeatState.GONE if seat.state is SeatState.OPEN else seat.state
        for check in left:
            if check.begun or not check.future.cancel():
                self._fail([check], "the sandbox was closed")
        for seat in self._seats:
            seat.node.close()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
