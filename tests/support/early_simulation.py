"""Simulated suites that may end early, to count how often and how soon their gates decide wrongly.

Tasks have pass rates of their own (`metrics_simulation.rates`, ICC 0.5 between samples of a task),
five samples each on the clean prompt and on two variants, which keep a rate of their own in common.
Every run is decided by the code that decides real ones: the gate watch after each wave, then the
intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_coderobust.engine.early import add_course, cut_waves, order_tasks
from pytest_coderobust.gates import Gate, decide, parse_gate
from pytest_coderobust.gates.watch import GateWatch, read_planned
from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.records import (
    Cell,
    ModelIdentity,
    Observation,
    Sampling,
    Square,
    Status,
    SuiteRun,
)
from support.metrics_simulation import SAMPLES, rates

CLEAN_ONLY = (Cell(),)
CELLS = (Cell(), Cell("C1", 0), Cell("C1", 1))


@dataclass(frozen=True, slots=True)
class Decided:
    """Shares of runs by outcome, and the mean share of completions that was asked."""

    holds: float
    fails: float
    inconclusive: float
    early: float
    asked: float


def simulate(
    text: str, tasks: int, rate: float, kept: float, runs: int, *, early: bool = True
) -> Decided:
    """Decides one gate, at 95 %, in `runs` simulated runs.

    Args:
        early: False asks every task and looks once, as a suite without early decisions does.
    """
    cells = CELLS if "C1" in text else CLEAN_ONLY
    noise = np.random.default_rng([3, tasks, round(1000 * rate), round(1000 * kept)])
    (gate,) = gates = [parse_gate({"gate": text, "confidence": 0.95}, "simulated")]
    seen = {"holds": 0, "fails": 0, "inconclusive": 0}
    ended = asked = 0
    for _ in range(runs):
        found = draw(noise, cells, tasks, rate, kept)
        run = ask_in_waves(found, tasks, gates) if early else ask_at_once(found, tasks)
        (outcome,) = decide([gate], summarise(run), run)
        seen[outcome.outcome] += 1
        ended += "settled after" in outcome.reason
        asked += len(run.observations)
    shares = {name: count / runs for name, count in seen.items()}
    return Decided(**shares, early=ended / runs, asked=asked / (runs * len(found)))


def draw(
    noise: np.random.Generator, cells: Sequence[Cell], tasks: int, rate: float, kept: float
) -> Mapping[Square, Observation]:
    own = rates(noise, rate, tasks)
    after = own * rates(noise, kept, tasks)
    passing = {
        cell: noise.binomial(SAMPLES, own if cell.is_clean else after).tolist() for cell in cells
    }
    return {
        (f"T/{task}", cell): Observation(
            f"T/{task}", cell, Status.SOLVED,
            n=SAMPLES, c=counts[task], clean_n=SAMPLES, clean_c=passing[Cell()][task],
        )
        for cell, counts in passing.items()
        for task in range(tasks)
    }  # fmt: skip


def ask_in_waves(
    found: Mapping[Square, Observation], tasks: int, gates: Sequence[Gate]
) -> SuiteRun:
    """Asks as `engine.early.ask_in_waves` does, on observations that exist already."""
    run = ask_at_once(found, tasks)
    panel = GateWatch(gates, read_planned(run))
    asked: set[Square] = set()
    needed = frozenset(run.cells)
    for wave in cut_waves(order_tasks(run.tasks, 0)):
        asked |= {(task, cell) for task in wave for cell in needed}
        panel.take(wave, found)
        needed = panel.needed
    seen = tuple(each for square, each in found.items() if square in asked)
    return add_course(
        replace(run, observations=seen), dict.fromkeys(found.keys() - asked, "settled")
    )


def ask_at_once(found: Mapping[Square, Observation], tasks: int) -> SuiteRun:
    return SuiteRun(
        suite="simulated",
        model=ModelIdentity("simulated", "0"),
        sampling=Sampling(n=SAMPLES, temperature=0.8),
        ks=(1,),
        solved_at=0.5,
        tasks=tuple(f"T/{task}" for task in range(tasks)),
        cells=tuple(dict.fromkeys(cell for _, cell in found)),
        levels={},
        observations=tuple(found.values()),
    )
