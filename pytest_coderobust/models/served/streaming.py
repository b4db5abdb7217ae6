"""Streaming of rows through the servers of one model: sent side by side, answered as they finish.

All decisions are taken in the caller's thread, between two answers; the threads only send.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator, Sequence
from queue import Empty, SimpleQueue

from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.models.backend import Streamed
from pytest_coderobust.models.resending import may_go_again
from pytest_coderobust.models.served.answers import NotAnAnswer, ServedAnswer
from pytest_coderobust.models.served.crew import Crew, Returned
from pytest_coderobust.models.served.lanes import Lane
from pytest_coderobust.models.served.replies import (
    Again,
    ReplyCourse,
    RowFails,
    SessionEnds,
    judge_error,
    judge_reply,
)
from pytest_coderobust.models.served.sent_rows import Dealings, SentRow
from pytest_coderobust.models.served.transport import Reply
from pytest_coderobust.records import Row

OWN_FAILURES = 3
"""Failures of the server's code (500) after which a row is given up, where others succeed."""


BREATH = 0.5
"""Seconds without an answer after which the caller gets a turn."""


class Stream:
    """One stream over the lanes of a model.

    Args:
        rows: gives rows, or None for "not now".
    """

    def __init__(
        self, rows: Iterator[Row | None], lanes: Sequence[Lane], dealings: Dealings
    ) -> None:
        self._rows = rows
        self._lanes = lanes
        self._dealings = dealings
        self._luck = dealings.luck
        self._returned: SimpleQueue[Returned] = SimpleQueue()
        self._crews = [
            Crew(lane.transport, dealings.path, place, self._returned)
            for place, lane in enumerate(lanes)
        ]
        self._delayed: list[tuple[float, int, SentRow]] = []
        self._is_held = False
        """A row that is to go again has to wait for an answer."""
        self._pending = 0
        self._tickets = 0
        self._exhausted = False
        self._since = time.monotonic()

    def run(self) -> Iterator[Streamed | None]:
        """Yields each row's answer, and None now and then while no answer comes.

        Raises:
            ModelError: the server is gone, refuses to answer at all, or is another one.
        """
        try:
            for place in range(len(self._crews)):
                self._allow(place)
            while self._fill() or self._luck.held or not self._exhausted:
                if self._pending:
                    yield from self._settle(self._wait())
                else:
                    assert self._luck.held or self._exhausted, "None while nothing is on its way"
                    yield from self._luck.let_go()
        finally:
            self._close()

    def _close(self) -> None:
        self._luck.drop()
        for crew in self._crews:
            crew.close()
        if self._pending:
            for lane in self._lanes:
                lane.transport.abandon()

    def _fill(self) -> bool:
        """Hands rows to the lanes while there is room; False when nothing is left to wait for."""
        now = time.monotonic()
        self._send_again(now)
        if self._is_held:
            return True
        while not self._exhausted and (place := self._find_room(now)) is not None:
            try:
                row = next(self._rows)
            except StopIteration:
                self._exhausted = True
                break
            if row is None:
                break
            if not self._pending:
                self._since = now
            self._pending += 1
            self._crews[place].send(self._dealings.prepare(row))
        return self._pending > 0

    def _send_again(self, now: float) -> None:
        """Hands rows to the lanes whose request failed, and that have waited."""
        self._is_held = False
        while self._delayed and self._delayed[0][0] <= now:
            sent = self._delayed[0][2]
            alone = self._pending == len(self._delayed)
            self._is_held = not may_go_again(self._rows, sent.row, alone=alone)
            if self._is_held:
                return
            heapq.heappop(self._delayed)
            self._crews[self._choose(now, sent.last_lane)].send(sent)

    def _find_room(self, now: float) -> int | None:
        """Finds the lane for a new row; None where each has enough.

        A few more than may be on their way wait in each lane, so that a thread that is done finds
        the next row without this one. Answers that the caller has not taken yet count, too: it may
        be slower than the servers.
        """
        if self._pending >= 2 * sum(lane.concurrency.limit for lane in self._lanes) + 1:
            return None
        free = [place for place, lane in enumerate(self._lanes) if lane.not_before <= now]
        if not free and self._pending:
            return None
        place = min(free or range(len(self._lanes)), key=self._fullness)
        limit = self._lanes[place].concurrency.limit
        return place if self._crews[place].load < limit + max(1, limit // 8) else None

    def _fullness(self, place: int) -> float:
        return self._crews[place].load / self._lanes[place].concurrency.limit

    def _choose(self, now: float, last: int) -> int:
        """Chooses the lane of a row that goes again: another one, where there is one."""
        return min(
            range(len(self._lanes)),
            key=lambda place: (
                self._lanes[place].not_before > now,
                place == last,
                self._fullness(place),
            ),
        )

    def _wait(self) -> Returned | None:
        """Waits for the next errand to return; None where a delayed row is due, or time passes."""
        pause = BREATH
        if self._delayed and not self._is_held:
            pause = min(pause, self._delayed[0][0] - time.monotonic())
        try:
            return self._returned.get(timeout=max(pause, 0.0))
        except Empty:
            return None

    def _settle(self, returned: Returned | None) -> Iterator[Streamed | None]:
        """Draws the conclusion of what came back."""
        if returned is None:
            yield None
            return
        sent = returned.errand
        assert isinstance(sent, SentRow)
        sent.resent += returned.resent
        found = self._judge(returned, sent)
        if isinstance(found, ServedAnswer):
            self._succeed(returned, found)
            yield from self._luck.let_go()
            self._pending -= 1
            yield sent.finish(found.completion, found.usage)
        elif isinstance(found, Again):
            yield from self._retry(returned, sent, found)
        elif isinstance(found, RowFails):
            self._pending -= 1
            yield from self._luck.fail(sent, found, self._dealings.label)
        else:
            place = self._lanes[returned.place].address.place
            raise ModelError(f"{self._dealings.label}: the server at {place}: {found.told}")

    def _judge(self, returned: Returned, sent: SentRow) -> ServedAnswer | ReplyCourse:
        result = returned.result
        if isinstance(result, UsageError):
            return SessionEnds(str(result))
        if not isinstance(result, Reply):
            return judge_error(result)
        if not result.ok:
            return judge_reply(result)
        try:
            return self._dealings.read(result, sent)
        except NotAnAnswer as error:
            return RowFails(str(error))

    def _succeed(self, returned: Returned, found: ServedAnswer) -> None:
        lane = self._lanes[returned.place]
        self._luck.successes += 1
        self._since = max(self._since, returned.at)
        lane.took(found.usage.seconds)
        before = lane.concurrency.limit
        lane.concurrency = lane.concurrency.answered(
            returned.at, found.usage.seconds, found.usage.output, returned.on_their_way
        )
        if lane.concurrency.limit != before:
            self._allow(returned.place)

    def _retry(self, returned: Returned, sent: SentRow, course: Again) -> Iterator[Streamed]:
        """Sends a row again later, unless it or the server has had its chances."""
        now = time.monotonic()
        lane = self._lanes[returned.place]
        sent.tries += 1
        sent.last_lane = returned.place
        if course.failed:
            sent.failures += 1
            if sent.failures == 1:
                sent.successes = self._luck.successes
            if sent.failures >= OWN_FAILURES and self._luck.successes > sent.successes:
                self._pending -= 1
                told = RowFails(f"{sent.failures} times {course.told}")
                yield from self._luck.fail(sent, told, self._dealings.label)
                return
        overloaded = lane.concurrency.overloaded(returned.at)
        lane.concurrency = overloaded if course.overload else lane.concurrency.failed()
        if course.hint:
            lane.not_before = max(lane.not_before, now + course.hint)
        self._allow(returned.place)
        wait = self._dealings.patience.wait_before(sent.tries, course.hint)
        self._check_patience(now + wait, lane, course)
        self._tickets += 1
        heapq.heappush(self._delayed, (now + wait, self._tickets, sent))

    def _check_patience(self, until: float, lane: Lane, course: Again) -> None:
        most = self._dealings.patience.most
        if until - self._since > most:
            raise ModelError(
                f"{self._dealings.label}: the server at {lane.address.place} gave no answer for "
                f"{most:g} s, or asks to wait for longer; at last: {course.told}"
            )

    def _allow(self, place: int) -> None:
        lane = self._lanes[place]
        self._crews[place].allow(lane.concurrency.limit, lane.not_before)
