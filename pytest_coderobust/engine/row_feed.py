"""Rows on their way to a server: which one is sent next, and when sending has to wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from typing import Protocol

from pytest_coderobust.errors import ModelError
from pytest_coderobust.records import Completion, Row, Sampling, Usage

KeyedRow = tuple[str, Row]
"""A row and the key that its completion is stored under."""


class Brake(Protocol):
    """A reason why the next row may have to wait: judging that lags, or a budget."""

    def begin(self) -> None:
        """Takes note of a new leg: nothing is on its way, and all answers are stored."""
        ...

    def holds(self, row: Row, sampling: Sampling) -> bool:
        """Says whether this row must not be sent now."""
        ...

    def release(self) -> None:
        """Waits until a row may be sent; called while nothing is on its way.

        Raises:
            ModelError: no row may be sent any more.
        """
        ...

    def sent(self, row: Row, sampling: Sampling) -> None:
        """Takes note of a row that goes out."""
        ...

    def resends(self, row: Row, sampling: Sampling) -> bool:
        """Says whether a row whose request failed may go again now; takes note of it if so."""
        ...

    def settled(self, row: Row, completion: Completion, usage: Usage) -> None:
        """Takes note of its answer."""
        ...


class RowFeed(Iterator["Row | None"]):
    """The rows of one leg of a stream, in the order in which they are sent.

    Args:
        rows: asked for the next row only when it may be sent, so it may look ahead lazily.
        ends: says that no more rows are to be sent in this leg.
    """

    def __init__(
        self,
        rows: Iterable[KeyedRow],
        sampling: Sampling,
        brakes: Sequence[Brake],
        ends: Callable[[], bool] = lambda: False,
    ) -> None:
        self._rows = iter(rows)
        self._sampling = sampling
        self._brakes = brakes
        self._ends = ends
        self._next: KeyedRow | None = None
        self._on_way: dict[int, KeyedRow] = {}
        self._again: Counter[int] = Counter()
        self.ended = self.exhausted = False
        """Whether it said that no more rows come, and whether there are none in another leg."""

    @property
    def on_way(self) -> int:
        """The number of rows that were sent and are not answered yet."""
        return len(self._on_way)

    def list_requests(self) -> Iterator[Row]:
        """Lists the rows that were sent and are not answered yet, each once for each request."""
        for place, (_, row) in self._on_way.items():
            yield from repeat(row, 1 + self._again[place])

    def may_go_again(self, row: Row, *, alone: bool) -> bool:
        """Says whether a row may go again; see `Resending`."""
        for brake in self._brakes:
            while not brake.resends(row, self._sampling):
                if not alone:
                    return False
                brake.release()
        self._again[id(row)] += 1
        return True

    def __next__(self) -> Row | None:
        if self._next is None:
            if not self._ends():
                self._next = next(self._rows, None)
                self.exhausted = self._next is None
            if self._next is None:
                self.ended = True
                raise StopIteration
        _, row = self._next
        for brake in self._brakes:
            while brake.holds(row, self._sampling):
                if self._on_way:
                    return None
                brake.release()
        self._on_way[id(row)] = self._next
        self._next = None
        for brake in self._brakes:
            brake.sent(row, self._sampling)
        return row

    def settle(self, row: Row, completion: Completion, usage: Usage) -> str:
        """Takes a row off the way; returns its key.

        Raises:
            ModelError: this row was not sent.
        """
        sent = self._on_way.pop(id(row), None)
        self._again.pop(id(row), None)
        if sent is None:
            raise ModelError("an answer came to a row that was not asked")
        for brake in self._brakes:
            brake.settled(row, completion, usage)
        return sent[0]
