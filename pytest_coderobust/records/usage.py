"""The price of an answer in tokens and time, as the server that wrote it counts."""

from __future__ import annotations

from dataclasses import dataclass


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
