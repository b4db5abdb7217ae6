"""Questions that a search asks in batches, and the loop that answers them.

A search is a generator: it yields candidates (sets of edits), is sent for each one whether it
breaks the model, and returns what it found. So a search knows nothing of models, budgets or other
searches, and the candidates of many searches can share a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

Questions = Generator[Sequence[frozenset[T]], Sequence[bool], R]
"""Yields lists of new candidates, none of them empty; is sent an answer for each; returns R."""

Breaks = Callable[[Sequence[frozenset[T]]], Sequence[bool]]
"""Tells for each candidate whether it breaks the model; called with one batch at most."""


class OutOfBudget(Exception):
    """Thrown into a search that may ask nothing more; it returns the best it has."""


@dataclass(frozen=True, slots=True)
class Effort:
    """The cost of a search: candidates evaluated, and batches."""

    evaluations: int = 0
    batches: int = 0


def settle(
    questions: Questions[T, R], breaks: Breaks[T], *, batch: int = 32, most: int | None = None
) -> tuple[R, Effort]:
    """Runs one search to its end.

    Args:
        batch: candidates evaluated at once.
        most: evaluations after which `OutOfBudget` is thrown into the search.
    """
    evaluations = batches = 0
    try:
        asked = next(questions)
        while True:
            if most is not None and evaluations + len(asked) > most:
                asked = questions.throw(OutOfBudget())
                continue
            answers: list[bool] = []
            for start in range(0, len(asked), batch):
                answers += breaks(asked[start : start + batch])
                batches += 1
            evaluations += len(asked)
            asked = questions.send(answers)
    except StopIteration as stop:
        result: R = stop.value
        return result, Effort(evaluations, batches)
