"""Suite runs written as small tables, for the tests of metrics, gates and reports."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np  # noqa: F401  (the first interval would import it, within a deadline)

from pytest_coderobust.gates import decide, parse_gate
from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.records import (
    Cell,
    ModelIdentity,
    Observation,
    Sampling,
    Status,
    SuiteRun,
)
from pytest_coderobust.results.result import DecidedRun

Outcome = int | str
"""Passing samples, "skip", or "unusable"."""


def cell(label: str) -> Cell:
    name, _, seed = label.rpartition("-s")
    return Cell(name, int(seed)) if name else Cell(label)


def observation(task: str, where: Cell, clean: Outcome, found: Outcome, n: int) -> Observation:
    if "unusable" in (clean, found):
        return Observation(task, where, Status.UNUSABLE, reason="its canonical solution fails")
    if isinstance(found, str) or isinstance(clean, str):
        return Observation(task, where, Status.SKIPPED, reason="no eligible site")
    solved = 2 * clean >= n
    passes = 2 * found >= n
    status = Status.SOLVED if where.is_clean else Status.ROBUST if passes else Status.BROKEN
    if not solved:
        status = Status.UNSOLVED
    return Observation(task, where, status, n=n, c=found, clean_n=n, clean_c=clean)


def suite_run(
    table: Mapping[str, Mapping[str, Outcome]],
    *,
    n: int = 1,
    ks: tuple[int, ...] = (1,),
    levels: Mapping[str, str] | None = None,
    incomplete: str = "",
    notes: tuple[str, ...] = (),
    model: ModelIdentity | None = None,
) -> SuiteRun:
    """A run from {"T/0": {"clean": 1, "C1-s0": 0}}: the first row names every cell, clean first."""
    cells = tuple(map(cell, next(iter(table.values()))))
    observations = tuple(
        observation(task, where, row["clean"], row[where.label], n)
        for where in cells
        for task, row in table.items()
        if where.label in row
    )
    perturbations = {where.perturbation for where in cells if not where.is_clean}
    return SuiteRun(
        suite="toy",
        model=model or ModelIdentity("tiny", "0123456789abcdef", {"dtype": "float32"}),
        sampling=Sampling(n=n, temperature=0.8 if n > 1 else 0.0),
        ks=ks,
        solved_at=0.5,
        tasks=tuple(table),
        cells=cells,
        levels=dict.fromkeys(sorted(perturbations), "character") if levels is None else levels,
        observations=observations,
        tier="rlimits",
        incomplete=incomplete,
        notes=notes,
    )


def result_of(run: SuiteRun, *gates: object) -> DecidedRun:
    summary = summarise(run)
    outcomes = decide([parse_gate(gate, "toy.toml") for gate in gates], summary, run)
    return DecidedRun(run, summary, outcomes)
