"""HumanEval-X in both languages, measured whole on recorded answers whose verdicts are known.

The numbers are computed again here, from the answers alone.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from conftest import Project
from support.braced_answers import Square, make_answers, write_answers

from pytest_coderobust.records import Language
from pytest_coderobust.sandbox.languages.toolchain import missing_toolchain
from pytest_coderobust.tasks.load import load_tasks

PERTURBATIONS = ("C1", "W2", "S2")
WEAK = {"CPP/23"}
"""Tasks whose tests pass a solution that does nothing: these call the library's `strlen`."""
THERE: list[Language] = [name for name in ("cpp", "java") if not missing_toolchain(name)]


@pytest.mark.skipif(not THERE, reason="neither g++ nor a JDK is installed")
def test_a_cut_run_with_two_samples(data: Path, project: Project) -> None:
    check_runs(data, project, THERE, PERTURBATIONS[:1], limit=2, samples=2)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["cpp", "java"])
def test_a_run_of_all_tasks_and_four_conditions(
    data: Path, project: Project, language: Language
) -> None:
    if language not in THERE:
        pytest.skip(missing_toolchain(language))
    check_runs(data, project, [language], PERTURBATIONS, limit=164, samples=1)


def check_runs(
    data: Path,
    project: Project,
    languages: list[Language],
    names: tuple[str, ...],
    *,
    limit: int,
    samples: int,
) -> None:
    rows = list[dict[str, object]]()
    right: dict[Square, bool] = {}
    for language in languages:
        tasks = load_tasks(f"humaneval-{language}", base=data).tasks[:limit]
        more, marks = make_answers(tasks, names, samples, seed=17)
        rows += more
        right |= marks
        (project.path / f"{language}.toml").write_text(
            f'[suite]\ntasks = "humaneval-{language}"\nlimit = {limit}\n'
            f"perturbations = {list(names)}\nk = {list(range(1, samples + 1))}\n"
            f"[sampling]\nn = {samples}\ntemperature = 0.2\n"
        )
    assert 0 < sum(right.values()) < len(right)
    write_answers(project.path / "answers.jsonl", rows)
    suites = [f"{language}.toml" for language in languages]
    result = project.run(*suites, "--model", "replay:answers.jsonl", "--coderobust-json=out.json")
    assert result.ret == 0, result.stdout.str()[-3000:]
    found: Any = project.json()
    documents = found.get("suites", [found])
    assert len(documents) == len(languages)
    for document in documents:
        assert document["complete"]
        check_document(document, right, names, samples)


def check_document(
    found: dict[str, Any], right: dict[Square, bool], names: tuple[str, ...], samples: int
) -> None:
    measured = {name: set[str]() for name in ("clean", *names)}
    for item in found["items"]:
        if item["status"] in ("skipped", "unusable"):
            assert item["reason"] == "no eligible site" or item["task"] in WEAK, item
            continue
        squares = [(item["task"], item["condition"], 0, at) for at in range(samples)]
        assert (item["n"], item["c"]) == (samples, sum(right[each] for each in squares)), item
        measured[item["condition"]].add(item["task"])
    tasks = measured.pop("clean")
    for k in range(1, samples + 1):
        clean = mean(passes(right, task, "clean", samples, k) for task in tasks)
        assert found["metrics"]["clean"][f"pass@{k}"] == pytest.approx(clean)
        for name in names:
            check_condition(found["metrics"][name], right, name, measured[name], samples, k)
        check_pooled(found["metrics"]["all"], right, measured, samples, k)


def passes(right: dict[Square, bool], task: str, name: str, samples: int, k: int) -> float:
    """pass@k of a task by its definition: the share of draws of k samples with one that passes."""
    marks = [right[task, name, 0, at] for at in range(samples)]
    draws = [draw for draw in product(range(samples), repeat=k) if len(set(draw)) == k]
    return mean(any(marks[at] for at in draw) for draw in draws)


def check_condition(
    found: dict[str, Any],
    right: dict[Square, bool],
    name: str,
    tasks: set[str],
    samples: int,
    k: int,
) -> None:
    clean = mean(passes(right, task, "clean", samples, k) for task in tasks)
    perturbed = mean(passes(right, task, name, samples, k) for task in tasks)
    at = "" if k == 1 else f"@{k}"
    assert found[f"pass@{k}"] == pytest.approx(perturbed)
    assert found[f"robust_pass@{k}"] == pytest.approx(perturbed)
    if clean:
        assert found[f"rd{at}"] == pytest.approx((clean - perturbed) / clean)


def check_pooled(
    found: dict[str, Any],
    right: dict[Square, bool],
    measured: dict[str, set[str]],
    samples: int,
    k: int,
) -> None:
    worst, clean, changed = list[float](), list[float](), list[float]()
    for task in sorted(set[str]().union(*measured.values())):
        own = passes(right, task, "clean", samples, k)
        variants = [passes(right, task, name, samples, k) for name in measured if task in measured[name]]  # fmt: skip
        worst.append(min(variants))
        clean.append(own)
        changed.append(max(own - min(variants), 0) + max(max(variants) - own, 0))
    at = "" if k == 1 else f"@{k}"
    assert found[f"robust_pass@{k}"] == pytest.approx(mean(worst))
    assert found[f"robust_relative{at}"] == pytest.approx(mean(changed))
    if mean(clean):
        assert found[f"robust_drop{at}"] == pytest.approx(1 - mean(worst) / mean(clean))
