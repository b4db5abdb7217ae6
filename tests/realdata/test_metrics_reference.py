"""pass@k of 1,640 real verdicts against the values of the benchmark's own evaluator."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.records import (
    Cell,
    ModelIdentity,
    Observation,
    Sampling,
    Status,
    SuiteRun,
)


@pytest.fixture(scope="module")
def run(data: Path) -> SuiteRun:
    path = data / "completions" / "humaneval_codegen16b_t0.8_n10.verdicts.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    passed = Counter(row["task_id"] for row in rows if row["raw"])
    tasks = tuple(dict.fromkeys(row["task_id"] for row in rows))
    observations = tuple(
        Observation(
            task,
            Cell(),
            Status.SOLVED if passed[task] >= 5 else Status.UNSOLVED,
            n=10,
            c=passed[task],
            clean_n=10,
            clean_c=passed[task],
        )
        for task in tasks
    )
    return SuiteRun(
        suite="humaneval",
        model=ModelIdentity("codegen-16b", ""),
        sampling=Sampling(n=10, temperature=0.8),
        ks=(1, 10),
        solved_at=0.5,
        tasks=tasks,
        cells=(Cell(),),
        levels={},
        observations=observations,
    )


@pytest.mark.parametrize(("k", "reference"), [(1, 0.2122), (10, 0.4695)])
def test_pass_at_k_of_real_verdicts(run: SuiteRun, k: int, reference: float) -> None:
    clean = summarise(run).conditions[0]
    assert clean.tasks == 164
    found = clean.scores[k].pass_at_k
    assert found is not None
    assert round(found.value, 4) == reference
    assert found.low < reference < found.high


def test_interval_agrees_with_a_bootstrap_over_tasks(run: SuiteRun) -> None:
    import numpy as np
    from scipy.stats import bootstrap

    found = summarise(run).conditions[0].scores[1].pass_at_k
    assert found is not None
    shares = np.array([o.c / o.n for o in run.observations])
    theirs = bootstrap(
        (shares,), np.mean, n_resamples=5000, rng=np.random.default_rng(1), method="BCa"
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)
