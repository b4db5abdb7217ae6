"""Batched delta debugging: from the edits of a failure to a set that no single edit can leave.

After Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (TSE 2002), with
two departures that trade evaluations for batches, which is what a model's throughput is made of:
every complement of a level is asked at once, and the parts whose complements fail are left out
jointly before one by one. A set of up to `SINGLES` edits starts at the finest level, where one
batch tells every edit that matters. Edits are then replaced by simpler ones at the same place.

The result is verified by construction: it was evaluated and failed, and each set that lacks one
of its edits was evaluated and passed. It is 1-minimal, not globally minimal: where edits cancel one
another, a smaller set may exist that no single removal leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Generic, Protocol, TypeVar

from pytest_coderobust.hunting.questions import OutOfBudget, Questions

SINGLES = 16
"""Largest number of edits that a level cuts into single edits at once."""

CHUNKS = 8
"""Number of parts that a larger set is first cut into."""

REPLACEMENTS = 32
"""Largest number of simpler edits that one simplification tries."""


class Orderable(Protocol):
    """An edit as minimisation needs it: hashable, and in a definite order."""

    def __lt__(self, other: Any, /) -> bool: ...
    def __hash__(self) -> int: ...


E = TypeVar("E", bound=Orderable)
Simpler = Callable[[E, frozenset[E]], Sequence[E]]
"""Lists the edits that may replace one edit of a set, simplest first."""


@dataclass(frozen=True, slots=True)
class Minimum(Generic[E]):
    """A set of edits that fails.

    Attributes:
        minimal: each set that lacks one of the edits was evaluated and passes; False when the
            budget ended first.
    """

    edits: frozenset[E]
    minimal: bool


@dataclass(slots=True)
class _Memory(Generic[E]):
    """The smallest failing set so far, and every answer."""

    best: frozenset[E]
    answers: dict[frozenset[E], bool] = field(default_factory=dict[frozenset[E], bool])

    def ask(
        self, candidates: Iterable[frozenset[E]]
    ) -> Generator[Sequence[frozenset[E]], Sequence[bool], list[bool]]:
        """Answers candidates, and asks only those that are new."""
        wanted = list(candidates)
        new = [one for one in dict.fromkeys(wanted) if one not in self.answers]
        if new:
            answers = yield new
            self.answers.update(zip(new, answers, strict=True))
        return [self.answers[one] for one in wanted]


def minimise(
    failing: frozenset[E],
    simpler: Simpler[E] | None = None,
    *,
    known: Iterable[tuple[frozenset[E], bool]] = (),
) -> Questions[E, Minimum[E]]:
    """Searches for a 1-minimal failing subset of `failing`, which is known to fail.

    Args:
        simpler: lists edits to try instead of one that is left; None keeps edits as they are.
        known: earlier answers; the empty set is taken to pass.
    """
    memory = _Memory(failing, {**dict(known), failing: True, frozenset[E](): False})
    try:
        yield from _halve(memory)
        yield from _leave_out(memory)
        if simpler is not None and memory.best:
            yield from _simplify(memory, simpler)
            yield from _leave_out(memory)
        return Minimum(memory.best, minimal=True)
    except OutOfBudget:
        return Minimum(memory.best, _is_minimal(memory))


def _halve(memory: _Memory[E]) -> Questions[E, None]:
    """Takes a half or a quarter that fails alone, as long as there is one."""
    while len(memory.best) > SINGLES // 2:
        pieces = [piece for count in (2, 4) for piece in _cut(memory.best, count)]
        if len(memory.best) <= SINGLES:
            pieces = pieces[:2]
        answers = yield from memory.ask(pieces)
        failing = [piece for piece, fails in zip(pieces, answers, strict=True) if fails]
        if not failing:
            return
        memory.best = min(failing, key=len)


def _leave_out(memory: _Memory[E]) -> Questions[E, None]:
    """Leaves out parts, then parts of parts, until every single edit is needed."""
    parts = _cut_level(memory.best)
    while memory.best:
        answers = yield from memory.ask(memory.best - part for part in parts)
        needless = [part for part, fails in zip(parts, answers, strict=True) if fails]
        if needless:
            memory.best = yield from _leave_out_together(memory, needless)
            parts = _cut_level(memory.best)
        elif len(parts) == len(memory.best):
            return
        else:
            parts = [piece for part in parts for piece in _cut(part, 2)]


def _leave_out_together(
    memory: _Memory[E], parts: Sequence[frozenset[E]]
) -> Questions[E, frozenset[E]]:
    """Leaves out as many as possible of the parts that could each be left out alone."""
    rest = memory.best.difference(*parts)
    ahead = [rest - {edit} for edit in sorted(rest)] if len(rest) <= REPLACEMENTS // CHUNKS else []
    fails, *_ = yield from memory.ask([rest, *ahead])
    if fails:
        return rest
    fewer = [memory.best.difference(*parts[:count]) for count in range(len(parts) - 1, 0, -1)]
    answers = yield from memory.ask(fewer)
    return next(kept for kept, broke in zip(fewer, answers, strict=True) if broke)


def _simplify(memory: _Memory[E], simpler: Simpler[E]) -> Questions[E, None]:
    """Replaces edits by the simplest that still fail, all of them if they fail together."""
    edits = sorted(memory.best)
    each = max(1, REPLACEMENTS // len(edits))
    offers = [(edit, other) for edit in edits for other in simpler(edit, memory.best)[:each]]
    answers = yield from memory.ask(memory.best - {old} | {new} for old, new in offers)
    chosen: dict[E, E] = {}
    for (old, new), fails in zip(offers, answers, strict=True):
        if fails:
            chosen.setdefault(old, new)
    swaps = list(chosen.items())
    attempts = [_swap(memory.best, swaps[:count]) for count in range(len(swaps), -1, -1)]
    together = attempts[0]
    ahead = [together - {edit} for edit in sorted(together)]
    if (yield from memory.ask([together, *ahead]))[0]:
        memory.best = together
        return
    answers = yield from memory.ask(attempts)
    memory.best = next(one for one, fails in zip(attempts, answers, strict=True) if fails)


def _swap(edits: frozenset[E], swaps: Iterable[tuple[E, E]]) -> frozenset[E]:
    for old, new in swaps:
        edits = edits - {old} | {new}
    return edits


def _cut_level(edits: frozenset[E]) -> list[frozenset[E]]:
    return _cut(edits, len(edits) if len(edits) <= SINGLES else CHUNKS)


def _cut(edits: frozenset[E], count: int) -> list[frozenset[E]]:
    """Cuts a set into up to `count` parts of like size, in order, none empty."""
    ordered = sorted(edits)
    bounds = [len(ordered) * place // count for place in range(count + 1)]
    return [frozenset(ordered[start:stop]) for start, stop in pairwise(bounds) if start < stop]


def _is_minimal(memory: _Memory[E]) -> bool:
    return all(memory.answers.get(memory.best - {edit}) is False for edit in memory.best)
