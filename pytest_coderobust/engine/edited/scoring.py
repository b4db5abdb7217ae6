"""Scoring of edits on samples that were drawn after the requests were chosen.

Draw 0 is the base run, from which requests are chosen. Draw 1 gives "original" and "before".
Draw 2 gives "after" and the controls: the edited model, the base model once more and the placebos
share its noise, so that their differences hold less of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.engine.observations import Answered
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.engine.variants import make_variant
from pytest_coderobust.records import Cell, Observation, Sampling, Square
from pytest_coderobust.records.editing import ItemChange, Passes, Trial


@dataclass(frozen=True, slots=True)
class Draws:
    """The measurements of a scoring, each of one model under one draw."""

    before: Measurement
    control: Measurement
    after: Measurement
    placebos: Sequence[Measurement]
    greedy: bool


def make_scoring_sampling(scored: Sampling, suite: Sampling, draw: int) -> Sampling:
    """Makes the sampling of a draw: the scoring's n, temperature and top_p, and a seed of its own.

    Greedy decoding has no noise to draw again: it keeps the suite's seed, and with a greedy suite
    its answers are those of the suite's own run.
    """
    drawn = replace(suite, n=scored.n, temperature=scored.temperature, top_p=scored.top_p)
    if scored.greedy:
        return replace(drawn, top_p=suite.top_p if suite.greedy else 1.0)
    return replace(drawn, seed=suite.seed + draw)


def make_trials(
    draws: Draws, plan: Plan, own: Sequence[Square], others: Sequence[Square]
) -> tuple[tuple[Trial, ...], tuple[Trial, ...]]:
    """Scores the prompts of the edited tasks, and the other broken prompts.

    Raises:
        ModelError, SandboxError: the harness failed.
    """
    squares = [*own, *others]
    # The base model answers everything before the edited one is put in, and the placebos last.
    draws.before.want(squares)
    clean = {s: _count_passes(draws.before, plan, (s[0], Cell())) for s in squares}
    before = {s: _count_passes(draws.before, plan, s) for s in squares}
    control = {} if draws.greedy else _count_all(draws.control, plan, others)
    after = _count_all(draws.after, plan, squares)
    placebos = [_count_all(placebo, plan, others) for placebo in draws.placebos]

    def trial(square: Square) -> Trial:
        task, cell = square
        return Trial(
            task=task,
            seed=cell.seed,
            original=clean[square],
            before=before[square],
            after=after[square],
            control=control.get(square),
            placebos=tuple(placebo[square] for placebo in placebos if square in placebo),
        )

    return tuple(map(trial, own)), tuple(map(trial, others))


def list_changes(
    base: Measurement, edited: Measurement, squares: Sequence[Square]
) -> Iterator[tuple[Cell, ItemChange]]:
    """Compares each measured square before and after, under the suite's own sampling."""
    for task, cell in squares:
        before = base.measure(base.plan.tasks[task], cell).observation
        after = edited.measure(edited.plan.tasks[task], cell).observation
        if before.measured and after.measured:
            yield cell, ItemChange(task, cell.seed, _make_passes(before), _make_passes(after))


def _count_all(
    measurement: Measurement, plan: Plan, squares: Sequence[Square]
) -> dict[Square, Passes]:
    measurement.want(squares)
    return {square: _count_passes(measurement, plan, square) for square in squares}


def _count_passes(measurement: Measurement, plan: Plan, square: Square) -> Passes:
    task, cell = square
    found: Answered = measurement.answer(make_variant(plan, plan.tasks[task], cell))
    return Passes(found.n, found.c)


def _make_passes(observation: Observation) -> Passes:
    return Passes(observation.n, observation.c)
