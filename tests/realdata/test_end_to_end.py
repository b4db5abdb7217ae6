"""Real benchmarks through the whole path, as a user runs them."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from conftest import Project

COMPLETIONS = "completions/humaneval_codegen16b_t0.8_n10"
SAMPLE = 20
"""Tasks of the seeded part that runs by default: the first ones of the data set."""


def reference(data: Path, tasks: int | None) -> Counter[str]:
    """Passes of each task in the reference evaluator's own verdicts."""
    passes: Counter[str] = Counter()
    with gzip.open(data / f"{COMPLETIONS}.verdicts.jsonl.gz", "rt") as lines:
        for row in map(json.loads, lines):
            passes[row["task_id"]] += bool(row["raw"])
    names = [f"HumanEval/{index}" for index in range(tasks or 164)]
    return Counter({name: passes[name] for name in names})


def suite(project: Project, tasks: str, extra: str = "", sections: str = "") -> None:
    text = f'[suite]\ntasks = "{tasks}"\n{extra}\n{sections}\n'
    (project.path / "real.toml").write_text(text)


def run(project: Project, model: str) -> dict[str, object]:
    result = project.run("real.toml", "--model", model, "-q", "--coderobust-json=out.json")
    assert result.ret == 0, result.stdout.str()[-3000:]
    return project.json()


def test_oracle_solves_all_of_humaneval(project: Project, data: Path) -> None:
    suite(project, "humaneval", 'gates = ["pass@1 >= 1.0", "unusable <= 0"]')
    found = run(project, "oracle")
    assert found["metrics"]["clean"]["n"] == 164


@pytest.mark.parametrize("limit", [60, pytest.param(427, marks=pytest.mark.slow)])
@pytest.mark.parametrize("form", ["docstring", "plain"])
def test_oracle_solves_all_of_mbpp(project: Project, data: Path, limit: int, form: str) -> None:
    suite(
        project,
        "mbpp",
        f'limit = {limit}\nprompt_form = "{form}"\ngates = ["pass@1 >= 1.0", "unusable <= 0"]',
    )
    found = run(project, "oracle")
    assert found["metrics"]["clean"]["n"] == limit


@pytest.mark.parametrize("limit", [SAMPLE, pytest.param(None, marks=pytest.mark.slow)])
@pytest.mark.parametrize("extraction", ["raw", "code"])
def test_recorded_completions_pass_as_in_the_reference(
    project: Project, data: Path, limit: int | None, extraction: str
) -> None:
    """Raw: exactly the reference's verdicts, task by task. The extractor loses none of them."""
    suite(
        project,
        "humaneval",
        f'extraction = "{extraction}"\nk = [1, 10]' + (f"\nlimit = {limit}" if limit else ""),
        "[sampling]\nn = 10\ntemperature = 0.8\nmax_new_tokens = 300",
    )
    found = run(project, f"replay:{data / COMPLETIONS}.jsonl.gz")
    passes = Counter({row["task"]: row["c"] for row in found["items"]})
    expected = reference(data, limit)
    if extraction == "raw":
        assert passes == expected
    else:
        assert all(passes[task] >= count for task, count in expected.items())
    if limit is None and extraction == "raw":
        assert passes.total() == 348
        assert found["metrics"]["clean"]["pass@1"] == pytest.approx(0.2122, abs=5e-5)
        assert found["metrics"]["clean"]["pass@10"] == pytest.approx(0.4695, abs=5e-5)
    if limit is None and extraction == "code":
        assert passes.total() >= 351
