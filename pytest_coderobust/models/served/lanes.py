"""Lanes: each is one of the servers of a model, with its limit, its pause and its times."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from pytest_coderobust.models.served.address import Address
from pytest_coderobust.models.served.concurrency import Concurrency
from pytest_coderobust.models.served.transport import READ_SECONDS, TimedTransport

KNOWN = 50
"""Answers after which a server's own times set the time that one may take."""

LEAST_SECONDS = 120.0
_FACTOR = 6
_KEPT = 1000


@dataclass(slots=True)
class Lane:
    """One server of a model, over all streams of a session.

    Attributes:
        not_before: until when (monotonic clock) nothing is sent, because the server asked so.
    """

    address: Address
    transport: TimedTransport
    concurrency: Concurrency
    not_before: float = 0.0
    times: deque[float] = field(default_factory=lambda: deque[float](maxlen=_KEPT))
    answers: int = 0

    def took(self, seconds: float) -> None:
        """Notes the time of an answer, which bounds the time of those to come."""
        self.times.append(seconds)
        self.answers += 1
        if self.answers % KNOWN == 0:
            self.transport.read_seconds = find_read_seconds(self.times)


def find_read_seconds(times: deque[float]) -> float:
    """Finds the time that an answer may take: six times what all but one in a hundred took."""
    if len(times) < KNOWN:
        return READ_SECONDS
    ordered = sorted(times)
    return max(LEAST_SECONDS, _FACTOR * ordered[math.ceil(0.99 * len(ordered)) - 1])
