"""Deals checks that wait to nodes that are free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_coderobust.sandbox.nodes.calls import NodeCall, NodeSeat, SeatState
from pytest_coderobust.sandbox.nodes.waiting import WaitingChecks


def take_hands(
    seats: Sequence[NodeSeat], waiting: WaitingChecks, now: float
) -> Iterator[tuple[NodeSeat, NodeCall]]:
    """Takes from the queues what free nodes can have: a suspect alone, own checks, others'.

    While suspects wait, one node empties itself for them and the rest goes on; a node for which
    there is nothing else has a suspect too.

    Args:
        now: on the monotonic clock.
    """
    kept = _choose_for_suspects(seats, waiting)
    yield from _take_suspects([kept] if kept else [], waiting, now)
    for take in (waiting.take, waiting.steal):
        for seat in seats:
            while seat is not kept and seat.slots and (dealt := take(seat.number, seat.slots)):
                if checks := [check for check in dealt if check.begin()]:
                    yield seat, seat.begin(checks, now)
    yield from _take_suspects(seats, waiting, now)


def _choose_for_suspects(seats: Sequence[NodeSeat], waiting: WaitingChecks) -> NodeSeat | None:
    """Chooses the node that is soonest empty; one that has a suspect goes on with them."""
    left = [seat for seat in seats if seat.state is SeatState.OPEN]
    if not waiting.suspects or not left:
        return None
    return min(left, key=lambda seat: (not seat.alone, len(seat.calls)))


def _take_suspects(
    seats: Sequence[NodeSeat], waiting: WaitingChecks, now: float
) -> Iterator[tuple[NodeSeat, NodeCall]]:
    for seat in seats:
        if waiting.suspects and seat.slots and not seat.calls:
            yield seat, seat.begin([waiting.suspects.popleft()], now, alone=True)
