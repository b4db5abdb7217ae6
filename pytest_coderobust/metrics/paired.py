"""The comparison of two runs of one plan, task by task: whether the second is worse, and where.

The task is the unit. A task's value under a condition is its mean pass@k over the seeds and
perturbations that both runs measured; only those enter. Each change has an interval that redraws
tasks (`bootstrap`) and, for pass@k, a paired test (`significance`).

The verdict of a change, at 95 %: *not worse* when the interval excludes a worsening by the margin
(non-inferiority, Piaggio et al. 2012); else *regressed* when the interval and the test say that it
is worse at all; else *inconclusive*, with the smallest worsening that a run of this size would
detect in four cases of five. The whole run's verdict rests on two changes alone, pass@k of the
clean prompts and of all perturbed ones: regressed when either is (p doubled, Bonferroni), not worse
when both are. The others are shown, and decide nothing, so their number costs no certainty.

Source of the design: tasks as clusters, Miller 2024, "Adding error bars to evals".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import fsum
from statistics import NormalDist

from pytest_coderobust.metrics.bootstrap import bound_change, bound_drop_change
from pytest_coderobust.metrics.comparison import (
    ComparisonVerdict,
    RateChange,
    RunComparison,
)
from pytest_coderobust.metrics.interval import CONFIDENCE
from pytest_coderobust.metrics.outcome import is_solved
from pytest_coderobust.metrics.pass_at_k import pass_at_k
from pytest_coderobust.metrics.robustness import drop, mean
from pytest_coderobust.metrics.significance import paired_test
from pytest_coderobust.metrics.summary import ALL, pool_levels
from pytest_coderobust.metrics.unseen import pool_unseen
from pytest_coderobust.records import CLEAN, Cell, Square, SuiteRun

POWER = 0.8
Counts = Mapping[Square, tuple[int, int]]
"""(samples drawn, samples that pass) of each measured task and cell."""


def count_squares(run: SuiteRun) -> Counts:
    """Counts the samples of every measured square of a run."""
    return {(o.task_id, o.cell): (o.n, o.c) for o in run.observations if o.measured}


def compare(before: Counts, after: Counts, plan: SuiteRun, margin: float) -> RunComparison:
    """Compares two runs over the squares that both measured.

    Args:
        plan: gives the order of tasks and cells, levels, the smallest k, and `solved_at`.
        margin: the worsening of pass@k that does not matter, as a share of 1.
    """
    k = min(plan.ks)
    shared = list_shared(before, after, plan)
    changes: list[RateChange] = []
    drops: list[RateChange] = []
    for name, members in list_conditions(plan).items():
        values = pair_values(shared, members, before, after, k)
        if not values:
            continue
        moved = measure_pass_change(name, f"pass@{k}", values, margin)
        changes.append(replace(moved, decides=name == CLEAN or members == list_perturbations(plan)))
        if name != CLEAN and all(len(value) == 4 for value in values):
            drops += measure_rd_change(name, values, margin)
    flips = [
        (is_solved(*before[s], plan.solved_at), is_solved(*after[s], plan.solved_at), s)
        for s in shared
    ]
    found = RunComparison(
        verdict="inconclusive",
        margin=margin,
        k=k,
        tasks=len({task for task, _ in shared}),
        changes=(*changes, *drops),
        fragile=tuple(square for old, new, square in flips if old and not new),
        fixed=tuple(square for old, new, square in flips if new and not old),
        unchanged=sum(old == new for old, new, _ in flips),
    )
    return replace(found, verdict=judge_run(found.deciding))


def list_shared(before: Counts, after: Counts, plan: SuiteRun) -> list[Square]:
    """Lists the squares that both runs measured, in plan order."""
    return [
        square
        for cell in plan.cells
        for task in plan.tasks
        if (square := (task, cell)) in before and square in after
    ]


def list_perturbations(plan: SuiteRun) -> tuple[str, ...]:
    return tuple(dict.fromkeys(c.perturbation for c in plan.cells if not c.is_clean))


def list_conditions(plan: SuiteRun) -> dict[str, tuple[str, ...]]:
    """Lists each condition's perturbations, the clean one first; no two pool the same."""
    names = list_perturbations(plan)
    # By members, so that a pool of one perturbation, or of all, keeps the name that came first.
    found: dict[tuple[str, ...], str] = {(CLEAN,): CLEAN}
    for name in names:
        found.setdefault((name,), name)
    for name, own in pool_levels(names, plan.levels).items():
        found.setdefault(tuple(own), name)
    for name, own in pool_unseen(names, plan.train).items():
        found.setdefault(tuple(own), name)
    if names:
        found.setdefault(names, ALL)
    return {name: members for members, name in found.items()}


def pair_values(
    shared: list[Square], members: tuple[str, ...], before: Counts, after: Counts, k: int
) -> list[tuple[float, ...]]:
    """Pairs each task's pass@k before and after: under the members, then of its clean prompt."""
    cells: dict[str, list[Square]] = {}
    for task, cell in shared:
        if cell.perturbation in members:
            cells.setdefault(task, []).append((task, cell))
    rows: list[tuple[float, ...]] = []
    for task, squares in cells.items():
        old = fsum(rate_square(k, before[square]) for square in squares) / len(squares)
        new = fsum(rate_square(k, after[square]) for square in squares) / len(squares)
        clean = (task, Cell())
        known = clean in before and clean in after
        rows.append(
            (old, new, rate_square(k, before[clean]), rate_square(k, after[clean]))
            if known
            else (old, new)
        )
    return rows


def rate_square(k: int, counts: tuple[int, int]) -> float:
    """Computes pass@k of one square."""
    n, c = counts
    return pass_at_k(n, c, k)


def measure_pass_change(
    name: str, measure: str, values: list[tuple[float, ...]], margin: float
) -> RateChange:
    """Measures the change of pass@k: less is worse."""
    old, new = [value[0] for value in values], [value[1] for value in values]
    low, high = bound_change(old, new)
    tested = paired_test([after - before for before, after in zip(old, new, strict=True)])
    return RateChange(
        condition=name,
        measure=measure,
        tasks=len(values),
        before=mean(old),
        after=mean(new),
        change=(mean(new) or 0.0) - (mean(old) or 0.0),
        low=low,
        high=high,
        p=tested.p,
        method=tested.method,
        detectable=compute_detectable(low, high),
        verdict=judge_change(-high, -low, tested.p, margin),
    )


def measure_rd_change(
    name: str, values: list[tuple[float, ...]], margin: float
) -> list[RateChange]:
    """Measures the change of RD: more is worse; empty where either run has none."""
    old = [(value[2], value[0]) for value in values]
    new = [(value[3], value[1]) for value in values]
    before = drop(mean(clean for clean, _ in old), mean(own for _, own in old))
    after = drop(mean(clean for clean, _ in new), mean(own for _, own in new))
    if before is None or after is None:
        return []
    low, high = bound_drop_change(old, new)
    return [
        RateChange(
            condition=name,
            measure="rd",
            tasks=len(values),
            before=before,
            after=after,
            change=after - before,
            low=min(low, after - before),
            high=max(high, after - before),
            p=None,
            method="bootstrap over tasks",
            detectable=compute_detectable(low, high),
            verdict=judge_change(low, high, None, margin),
        )
    ]


def judge_change(low: float, high: float, p: float | None, margin: float) -> ComparisonVerdict:
    """Judges a worsening that lies between `low` and `high`."""
    if high < margin:
        return "not worse"
    if low > 0 and (p is None or p < 1 - CONFIDENCE):
        return "regressed"
    return "inconclusive"


def judge_run(deciding: tuple[RateChange, ...]) -> ComparisonVerdict:
    """Judges the run by the changes that decide, their p-values corrected."""
    verdicts = [
        "inconclusive"
        if change.verdict == "regressed" and (change.p or 0.0) * len(deciding) >= 1 - CONFIDENCE
        else change.verdict
        for change in deciding
    ]
    if "regressed" in verdicts:
        return "regressed"
    return "not worse" if verdicts and set(verdicts) == {"not worse"} else "inconclusive"


def compute_detectable(low: float, high: float) -> float:
    """Computes the smallest effect that 80 % of such runs detect, from an interval's width."""
    normal = NormalDist()
    z = normal.inv_cdf((1 + CONFIDENCE) / 2)
    return (high - low) / (2 * z) * (z + normal.inv_cdf(POWER))
