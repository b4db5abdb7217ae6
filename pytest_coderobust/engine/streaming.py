"""One stream of rows to a served model: rows go out side by side, answers are stored as they come.

Answers are stored 64 at a time or twice a second, each time in one transaction together with their
price, so that a killed run asks again only what was on its way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain

from pytest_coderobust.engine.events import BatchStarted, Listener, RowsGenerated
from pytest_coderobust.engine.guarding import Guard
from pytest_coderobust.engine.row_feed import Brake, KeyedRow, RowFeed
from pytest_coderobust.engine.spending import Sum, bound_cost, bound_unsure, price
from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.backend import Streamed, Streaming, find_terms
from pytest_coderobust.records import Bill, Completion, Row, Sampling, Tariff, Usage

STORED_TOGETHER = 64
"""Answers of one transaction at most."""

SECONDS_UNSTORED = 0.5
"""Time after which answers are stored, however few they are."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that is in the ledger."""

    key: str
    row: Row
    completion: Completion


class AnswerStream:
    """Answers of a served model, each stored before it is given.

    Args:
        guard: stores the answers, and looks now and then whether the model is still the same.
        run: the run that the price is booked on.
    """

    def __init__(
        self,
        backend: Streaming,
        guard: Guard,
        listen: Listener,
        *,
        run: str = "",
        clock: Clock = time.monotonic,
    ) -> None:
        self._backend = backend
        self._guard = guard
        self._listen = listen
        self._run = run
        self._tariff = find_terms(backend).tariff
        self._clock = clock
        self._fresh: list[Answer] = []
        self._told: dict[str, str] = {}
        self._usage, self._unsure = Usage(), Sum()
        self._stored_at = clock()

    def read(
        self, rows: Iterable[KeyedRow], sampling: Sampling, brakes: Sequence[Brake] = ()
    ) -> Iterator[Sequence[Answer]]:
        """Sends rows; gives the answers of each transaction, and none between two of them.

        It gives something after each answer, so that a caller that has long work to do can do it
        in pieces: while it works, no row is sent.

        Args:
            rows: asked for the next one when it may be sent, so they may look ahead lazily.

        Raises:
            ModelError: the server is gone, loses rows, or another model answers. What was answered
                is stored, unless another model did.
        """
        waiting = iter(rows)
        first = next(waiting, None)
        if first is None:
            return
        waiting = chain([first], waiting)
        self._guard.begin(self._run)
        while True:
            for brake in brakes:
                brake.begin()
            feed = RowFeed(waiting, sampling, brakes, ends=lambda: self._guard.due)
            yield from self._run_leg(feed, sampling)
            if feed.exhausted:
                return
            self._guard.look()  # nothing is on its way

    def _run_leg(self, feed: RowFeed, sampling: Sampling) -> Iterator[Sequence[Answer]]:
        self._stored_at = self._clock()
        self._listen(BatchStarted(1, sampling.max_new_tokens))
        with ExitStack() as stack:
            streamed = self._backend.stream(feed, sampling)
            if isinstance(streamed, Generator):
                stack.enter_context(closing(streamed))
            stack.callback(self._store)  # whatever ends it, what was answered is kept
            stack.callback(self._give_up, feed, sampling)
            for each in streamed:
                if each is not None:
                    self._take(feed, each, sampling)
                    if len(self._fresh) < STORED_TOGETHER and not self._is_late():
                        yield ()
                        continue
                stored = self._store()
                yield stored
                if stored:
                    self._listen(BatchStarted(max(1, feed.on_way), sampling.max_new_tokens))
            if feed.on_way or not feed.ended:
                name, left = self._backend.identity.name, feed.on_way or "the other"
                raise ModelError(f"{name} left {left} rows unanswered")
            stored = self._store()
        yield stored

    def _take(self, feed: RowFeed, streamed: Streamed, sampling: Sampling) -> None:
        row, completion = streamed.row, streamed.completion
        key = feed.settle(row, completion, streamed.usage)
        self._fresh.append(Answer(key, row, completion))
        if streamed.told:
            self._told[key] = streamed.told
        self._usage += streamed.usage
        worst = bound_cost(self._backend, row.variant, sampling)
        told = price(streamed.usage, self._tariff or Tariff(0.0, 0.0))
        self._unsure += bound_unsure(worst, told, streamed.usage)

    def _give_up(self, feed: RowFeed, sampling: Sampling) -> None:
        """Takes note of what is on its way when a stream ends: a server may have counted it."""
        for row in feed.list_requests():
            self._unsure += bound_cost(self._backend, row.variant, sampling)

    def _is_late(self) -> bool:
        return self._clock() - self._stored_at >= SECONDS_UNSTORED

    def _store(self) -> Sequence[Answer]:
        """Stores what was answered; returns it."""
        fresh, usage, unsure = self._fresh, self._usage, self._unsure
        if not fresh and unsure == Sum():
            return ()
        now = self._clock()
        cost = self._tariff.cost(usage) if self._tariff is not None else None
        wall = now - self._stored_at
        bill = Bill(usage, wall, cost, unsure_cost=unsure.money, unsure_tokens=unsure.tokens)
        if not fresh:
            self._guard.book(self._run, bill)
            return ()
        found = {each.key: each.completion for each in fresh}
        self._guard.store(found, self._run, bill, self._told)
        self._told = {}
        self._fresh, self._usage, self._unsure, self._stored_at = [], Usage(), Sum(), now
        self._listen(RowsGenerated(len(fresh), sum(each.completion.tokens for each in fresh)))
        return fresh
