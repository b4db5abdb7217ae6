"""Simulated suites whose truth is known: how often intervals cover it, how often tests reject it.

A task's own pass rate is beta-distributed with ICC 0.5 between its samples: shape parameters that
add up to 1. Everything is seeded.
"""

from __future__ import annotations

import numpy as np

from pytest_coderobust.metrics.bootstrap import bound_change, estimate_drop
from pytest_coderobust.metrics.interval import estimate
from pytest_coderobust.metrics.significance import exact_mcnemar, sign_flips

SAMPLES = 5


def rates(noise: np.random.Generator, mean: float, tasks: int) -> np.ndarray:
    return noise.beta(mean, 1 - mean, tasks)


def coverage(tasks: int, rate: float, kept: float, runs: int) -> dict[str, float]:
    """The share of runs whose interval holds the truth: of pass@1, of RD, of a change."""
    noise = np.random.default_rng([1, tasks, round(100 * rate), round(100 * kept)])
    hits = {"pass@1": 0, "rd": 0, "change": 0}
    for _ in range(runs):
        own = rates(noise, rate, tasks)
        perturbed = own * rates(noise, kept, tasks)
        clean = (noise.binomial(SAMPLES, own) / SAMPLES).tolist()
        after = (noise.binomial(SAMPLES, perturbed) / SAMPLES).tolist()
        found = estimate(clean, tasks * SAMPLES)
        assert found is not None
        hits["pass@1"] += found.low <= rate <= found.high
        mean = sum(clean)
        rd = estimate_drop((mean - sum(after)) / mean if mean else None, clean, after)
        hits["rd"] += rd is not None and rd.low <= 1 - kept <= rd.high
        low, high = bound_change(clean, after)
        hits["change"] += low <= rate * (kept - 1) <= high
    return {name: count / runs for name, count in hits.items()}


def rejections(tasks: int, rate: float, runs: int) -> dict[str, float]:
    """The share of runs that reject a true null at 0.05: each task moved, their mean did not."""
    noise = np.random.default_rng([2, tasks, round(100 * rate)])
    rejected = {"sign flips of tasks": 0, "McNemar on pooled pairs": 0}
    for _ in range(runs):
        before = noise.random((tasks, SAMPLES)) < rates(noise, rate, tasks)[:, None]
        after = noise.random((tasks, SAMPLES)) < rates(noise, rate, tasks)[:, None]
        differences = (after.mean(axis=1) - before.mean(axis=1)).tolist()
        gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
        rejected["sign flips of tasks"] += sign_flips(differences) < 0.05
        rejected["McNemar on pooled pairs"] += exact_mcnemar(gained, lost) < 0.05
    return {name: count / runs for name, count in rejected.items()}
