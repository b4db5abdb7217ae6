"""The price of answers in tokens, time and money, as the server that wrote them counts."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_coderobust.records.codec import LATER


@dataclass(frozen=True, slots=True)
class Usage:
    """One answered request, or the sum of many.

    Attributes:
        requests: 1, or the number of requests that are summed.
        retries: requests that were sent again.
        input: tokens of the prompts, the cached ones included.
        cached: tokens of the prompts that the server had in its cache.
        output: tokens that were written, the reasoning ones included.
        reasoning: tokens that a thought took.
        seconds: time between sending and the whole answer.
        estimated: requests whose server gave no counts, so that they were estimated.
    """

    requests: int = 0
    retries: int = 0
    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0
    seconds: float = 0.0
    estimated: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.requests + other.requests,
            self.retries + other.retries,
            self.input + other.input,
            self.cached + other.cached,
            self.output + other.output,
            self.reasoning + other.reasoning,
            self.seconds + other.seconds,
            self.estimated + other.estimated,
        )


@dataclass(frozen=True, slots=True)
class Tariff:
    """The user's own prices, in one currency, for a million tokens.

    Attributes:
        cached: of a token of a prompt that the server had in its cache.
    """

    input: float
    output: float
    cached: float | None = None

    def cost(self, usage: Usage) -> float:
        """Computes the cost of answers; a cached token costs as any other where no price is set."""
        cached = self.input if self.cached is None else self.cached
        fresh = max(0, usage.input - usage.cached)
        return (fresh * self.input + usage.cached * cached + usage.output * self.output) / 1e6


@dataclass(frozen=True, slots=True)
class Bill:
    """The sum of what was asked of a served model.

    Attributes:
        wall: seconds in which requests were on their way.
        cost: at the user's prices; None where there are none.
        sessions: the number of sessions that asked.
        unsure_cost, unsure_tokens: the most that servers may have counted besides, and told nobody:
            requests that were sent again, and answers without counts.
        watching: the part of `usage` that got to know the model and watched over it: handshakes,
            canaries, and checks of long prompts.
    """

    usage: Usage = Usage()
    wall: float = 0.0
    cost: float | None = None
    sessions: int = 0
    unsure_cost: float = 0.0
    unsure_tokens: int = 0
    watching: Usage = field(default=Usage(), metadata=LATER)

    @property
    def answers(self) -> int:
        """The number of rows that were answered."""
        return self.usage.requests - self.watching.requests

    @property
    def most_cost(self) -> float | None:
        """The cost with all that a server may have counted besides; None without a price."""
        return None if self.cost is None else self.cost + self.unsure_cost

    def __add__(self, other: Bill) -> Bill:
        costs = [cost for cost in (self.cost, other.cost) if cost is not None]
        return Bill(
            self.usage + other.usage,
            self.wall + other.wall,
            sum(costs) if costs else None,
            self.sessions + other.sessions,
            self.unsure_cost + other.unsure_cost,
            self.unsure_tokens + other.unsure_tokens,
            self.watching + other.watching,
        )
