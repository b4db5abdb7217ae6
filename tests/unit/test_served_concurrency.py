"""Concurrency: a pure value that grows while it pays and shrinks when it is told to."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.models.served.concurrency import (
    BY_HAND,
    CEILING,
    COOLDOWN,
    REST,
    START,
    Concurrency,
    start_concurrency,
)

Happening = tuple[str, float, float, int, float]
"""A kind, the time since the last one, an answer's seconds, its tokens, the share of the limit."""

happenings = st.lists(
    st.tuples(
        st.sampled_from(["answered", "answered", "answered", "overloaded", "failed"]),
        st.floats(0.0, 100.0),
        st.floats(0.0, 30.0),
        st.integers(0, 4096),
        st.floats(0.0, 1.0),
    ),
    max_size=300,
)


def apply(now: Concurrency, at: float, happening: Happening) -> Concurrency:
    kind, _, seconds, tokens, share = happening
    if kind == "answered":
        return now.answered(at, seconds, tokens, max(1, round(share * now.limit)))
    return now.overloaded(at) if kind == "overloaded" else now.failed()


@given(st.none() | st.integers(1, BY_HAND), happenings)
def test_the_limit_stays_within_its_bounds(chosen: int | None, found: list[Happening]) -> None:
    now, at = start_concurrency(chosen), 0.0
    assert now.limit == (chosen or START)
    for happening in found:
        at += happening[1]
        now = apply(now, at, happening)
        assert 1 <= now.limit <= (chosen or CEILING)


@given(st.none() | st.integers(1, BY_HAND), happenings)
def test_only_an_overload_or_a_growth_that_did_not_pay_lowers_the_limit(
    chosen: int | None, found: list[Happening]
) -> None:
    now, at, cut = start_concurrency(chosen), 0.0, -COOLDOWN
    for happening in found:
        at += happening[1]
        then = apply(now, at, happening)
        if then.limit < now.limit:
            if happening[0] == "overloaded":
                assert at - cut >= COOLDOWN
                assert then.limit == max(1, int(now.limit * 0.8))
                cut = at
            else:
                assert then.limit == now.before
        now = then


@given(st.none() | st.integers(1, BY_HAND), happenings)
def test_it_grows_only_on_an_answer_and_at_most_doubles(
    chosen: int | None, found: list[Happening]
) -> None:
    now, at = start_concurrency(chosen), 0.0
    for happening in found:
        at += happening[1]
        then = apply(now, at, happening)
        if then.limit > now.limit:
            assert happening[0] == "answered"
            assert then.limit <= 2 * now.limit
        now = then


def test_one_overload_of_many_cuts_and_the_next_after_a_while() -> None:
    now = Concurrency(100, 256)
    for at in (0.0, 1.0, 14.9):
        now = now.overloaded(at)
        assert now.limit == 80
    assert now.overloaded(15.0).limit == 64


def test_a_limit_of_one_is_the_least() -> None:
    now = Concurrency(1, 256)
    for at in range(100):
        now = now.overloaded(100.0 * at)
    assert now.limit == 1


@dataclass
class Simulated:
    """A server whose rate of tokens depends on the requests that it has at a time.

    Attributes:
        rate: tokens a second of the whole server, by the requests on their way.
    """

    rate: Callable[[int], float]
    tokens: int = 100

    def run(self, now: Concurrency, seconds: float) -> list[tuple[float, int]]:
        """The limits over time: requests are always there to be sent."""
        at, seen = 0.0, [(0.0, now.limit)]
        flying: list[tuple[float, float]] = []
        while at < seconds:
            while len(flying) < now.limit:
                busy = len(flying) + 1
                heapq.heappush(flying, (at + self.tokens * busy / self.rate(busy), at))
            on_their_way = len(flying)
            at, began = heapq.heappop(flying)
            now = now.answered(at, at - began, self.tokens, on_their_way)
            if now.limit != seen[-1][1]:
                seen.append((at, now.limit))
        return seen


def test_it_grows_to_the_ceiling_where_more_is_always_faster() -> None:
    seen = Simulated(lambda busy: 100.0 * busy).run(start_concurrency(None), 100.0)
    assert [limit for _, limit in seen] == [16, 32, 64, 128, 256]


def test_it_stops_where_more_is_no_faster_and_tries_again_later() -> None:
    seen = Simulated(lambda busy: 100.0 * min(busy, 40)).run(start_concurrency(None), 400.0)
    limits = [limit for _, limit in seen]
    assert limits[:4] == [16, 32, 64, 128] or limits[:3] == [16, 32, 64]
    settled = [limit for at, limit in seen if at > 30.0]
    assert settled, "it is tried again"
    assert all(40 <= limit <= 90 for limit in settled)


def test_a_held_limit_is_tried_a_tenth_higher_after_a_rest() -> None:
    now = Concurrency(100, 256, held=0.0)
    for place in range(1000):
        now = now.answered(REST - 1.0 + place * 1e-4, 0.01, 10, 100)
    assert now.limit == 100
    for place in range(1000):
        now = now.answered(REST + 1.0 + place * 1e-2, 0.01, 10, 100)
        if now.limit != 100:
            break
    assert now.limit == 110


def test_an_idle_client_learns_nothing() -> None:
    now = start_concurrency(None)
    for place in range(1000):
        now = now.answered(0.1 * place, 1.0, 100, 3)
    assert now.limit == START


def test_failures_of_the_server_stop_the_growth_and_cut_nothing() -> None:
    now = start_concurrency(None)
    for place in range(1000):
        now = now.answered(0.1 * place, 0.5, 100, START).failed()
    assert now.limit == START


def test_a_number_of_the_users_own_comes_back_after_a_cut() -> None:
    now = start_concurrency(32).overloaded(0.0)
    assert now.limit == 25
    at = 0.0
    while at < 4 * REST:
        at += 0.05
        now = now.answered(at, 0.5, 100, now.limit)
    assert now.limit == 32
