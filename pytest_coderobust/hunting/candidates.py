"""Candidates of a search: variants, those of the most damaging perturbations first."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from coderobust_strategies import Edit, PerturbationError, lookup
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.engine.variants import make_variant
from pytest_coderobust.errors import DataError, UsageError
from pytest_coderobust.records import Cell, Observation, Status, Task

ROUND = 8
"""Variants that are tried before the search looks whether one of them broke the model."""

SEEDS = 64
"""Largest number of seeds of one perturbation that are tried on one prompt."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A variant as a search sees it: its edits and its cell."""

    edits: frozenset[Edit]
    cell: Cell


def list_members(names: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Lists the perturbations to draw from, and the reasons why others are left out.

    An aggregate is replaced by all its members.

    Raises:
        UsageError: none is left.
    """
    found: dict[str, None] = {}
    left_out: list[str] = []
    for name in names:
        try:
            found.update(dict.fromkeys(lookup(name).members or (name,)))
        except PerturbationError as error:
            left_out.append(f"{name} is left out of the hunt: {error}")
    if not found:
        raise UsageError(f"nothing to hunt with: {'; '.join(left_out) or 'no perturbation'}")
    return tuple(found), tuple(left_out)


def estimate_damage(observations: Iterable[Observation]) -> Mapping[str, float]:
    """Estimates each perturbation's share of broken tasks among solved ones, shrunk towards 1/2."""
    broken: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for found in observations:
        if found.status in (Status.ROBUST, Status.BROKEN):
            name = found.member or found.cell.perturbation
            seen[name] += 1
            broken[name] += found.status is Status.BROKEN
    return {name: (broken[name] + 1) / (seen[name] + 2) for name in seen}


def draw_rounds(
    plan: Plan, task: Task, names: Sequence[str], weights: Mapping[str, float]
) -> Iterator[list[Drawn]]:
    """Draws rounds of new variants of a task, at the suite's rates.

    A perturbation that is twice as damaging gets twice as many seeds. Without earlier runs all
    perturbations take turns.
    """
    tried: set[frozenset[Edit]] = {frozenset()}
    turn: list[Drawn] = []
    for name, seed in _schedule(names, weights):
        try:
            variant = make_variant(plan, task, Cell(name, seed))
        except (DataError, PerturbationError):
            continue  # that perturbation cannot read this prompt; others may
        edits = frozenset(variant.edits)
        if variant.skipped or variant.task is not task or edits in tried:
            continue
        tried.add(edits)
        turn.append(Drawn(edits, Cell(name, seed)))
        if len(turn) == ROUND:
            yield turn
            turn = []
    if turn:
        yield turn


def _schedule(names: Sequence[str], weights: Mapping[str, float]) -> Iterator[tuple[str, int]]:
    """Orders (perturbation, seed) pairs; each perturbation is as frequent as its weight says."""
    weight = {name: max(weights.get(name, 0.5), 0.02) for name in names}
    queue = [(0.5 / weight[name], place, name, 0) for place, name in enumerate(names)]
    heapq.heapify(queue)
    while queue:
        _, place, name, seed = heapq.heappop(queue)
        yield name, seed
        if seed + 1 < SEEDS:
            heapq.heappush(queue, ((seed + 1.5) / weight[name], place, name, seed + 1))
