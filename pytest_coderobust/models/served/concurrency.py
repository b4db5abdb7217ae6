"""Concurrency of requests to one server: grows while it pays, and shrinks when the server says so.

A pure value: it hears what happened when, and says how many requests may be on their way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median

START = 16
CEILING = 256
BY_HAND = 1024
"""The most that a user may ask for."""

GROWN = 1.05
"""Growth of the rate of tokens that makes a higher limit worth keeping."""

CUT = 0.8
COOLDOWN = 15.0
"""Seconds in which one overload cuts once."""

PROBE = 1.1
REST = 60.0
"""Seconds after which a limit that was held is tried a tenth higher."""

_LATENCIES = 3
_ROUNDS = 4
_FULL = 0.9


@dataclass(frozen=True, slots=True)
class Interval:
    """Answers since the limit was last looked at.

    Attributes:
        began: when; None before the first answer.
        on_their_way: the requests that were on their way at each answer, summed.
    """

    began: float | None = None
    seconds: tuple[float, ...] = ()
    tokens: int = 0
    on_their_way: int = 0
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Concurrency:
    """The number of requests that may be on their way to one server.

    Attributes:
        limit: from 1 to `ceiling`.
        chosen: the user chose the number: it is cut under overload, and comes back by itself.
        before: the limit that the present one has to beat, with its rate; None for the first.
        rate: tokens a second at `before`.
        held: when growing stopped; None while it goes on.
        cut: when an overload last cut the limit; None for never.
    """

    limit: int
    ceiling: int
    chosen: bool = False
    before: int | None = None
    rate: float = 0.0
    held: float | None = None
    cut: float | None = None
    interval: Interval = Interval()

    def answered(self, at: float, seconds: float, tokens: int, on_their_way: int) -> Concurrency:
        """An answer came.

        Args:
            at: when, by a clock that never goes back.
            seconds: the time between sending and the answer.
            tokens: those that were written.
            on_their_way: requests that were on their way, this one included.
        """
        interval = self.interval
        if interval.began is None:
            interval = replace(interval, began=at - seconds)
        interval = replace(
            interval,
            seconds=(*interval.seconds, seconds),
            tokens=interval.tokens + tokens,
            on_their_way=interval.on_their_way + on_their_way,
        )
        found = replace(self, interval=interval)
        return _conclude(found, at) if _is_long(found, at) else found

    def overloaded(self, at: float) -> Concurrency:
        """The server said that it has too much to do, or was too slow."""
        if self.cut is not None and at - self.cut < COOLDOWN:
            return replace(self, interval=Interval())
        limit = max(1, math.floor(self.limit * CUT))
        return replace(
            self, limit=limit, before=None, rate=0.0, held=at, cut=at, interval=Interval()
        )

    def failed(self) -> Concurrency:
        """The server failed: the interval at hand makes nothing grow."""
        return replace(self, interval=replace(self.interval, failed=True))


def start_concurrency(chosen: int | None) -> Concurrency:
    """Makes the beginning: the user's own number, or the automatic one (None)."""
    if chosen is None:
        return Concurrency(START, CEILING)
    return Concurrency(chosen, chosen, chosen=True)


def _is_long(now: Concurrency, at: float) -> bool:
    """Whether the interval says enough."""
    interval = now.interval
    if interval.began is None or len(interval.seconds) < _ROUNDS * now.limit:
        return False
    return at - interval.began >= _LATENCIES * median(interval.seconds)


def _conclude(now: Concurrency, at: float) -> Concurrency:
    """Draws the conclusion of an interval, and begins another one."""
    interval = now.interval
    assert interval.began is not None
    fresh = replace(now, interval=Interval(began=at))
    full = interval.on_their_way >= _FULL * now.limit * len(interval.seconds)
    rests = now.held is not None and at - now.held < REST
    if interval.failed or not full or rests:
        return fresh
    rate = interval.tokens / max(at - interval.began, 1e-9)
    if now.chosen or now.held is not None:
        return _grow(fresh, PROBE, rate)
    if now.before is not None and rate < GROWN * now.rate:
        return replace(fresh, limit=now.before, before=None, rate=0.0, held=at)
    if now.before is not None and now.limit < 2 * now.before:
        # A probe that paid: the higher limit is held for a while, too.
        return replace(fresh, before=None, rate=0.0, held=at)
    return _grow(fresh, 2.0, rate)


def _grow(now: Concurrency, factor: float, rate: float) -> Concurrency:
    limit = min(now.ceiling, max(now.limit + 1, math.floor(now.limit * factor)))
    if limit == now.limit:
        return now
    return replace(now, limit=limit, before=now.limit, rate=rate, held=None)
