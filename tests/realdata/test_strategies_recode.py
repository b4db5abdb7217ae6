"""Changed canonical solutions pass the changed tests when they are executed."""

from __future__ import annotations

import ast
import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from support.strategies_data import rows, show

from coderobust_strategies.perturbations.recode import TaskCode, code_names, halved, recode

RUNNER = """
import json, resource, sys, warnings
warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
failed = []
for label, source in json.load(open(sys.argv[1])):
    try:
        exec(compile(source, label, "exec"), {"__name__": "program"})
    except BaseException as error:
        failed.append(f"{label}: {error!r}"[:300])
print(json.dumps(failed))
"""


def tasks(data: Path) -> dict[str, TaskCode]:
    return {
        row["task_id"]: TaskCode(
            row["prompt"], row["canonical_solution"], row["test"], row["entry_point"]
        )
        for row in rows(data / "humaneval" / "HumanEval.jsonl.gz")
    }


def failures(programs: list[tuple[str, str]], folder: Path) -> list[str]:
    """Runs trusted canonical solutions in a new process; returns those that failed."""
    path = folder / "programs.json"
    path.write_text(json.dumps(programs))
    done = subprocess.run(
        [sys.executable, "-I", "-c", RUNNER, str(path)],
        capture_output=True, text=True, timeout=1500, check=True,
    )  # fmt: skip
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def tree(task: TaskCode) -> str:
    parsed = ast.parse(task.prompt + task.solution)
    for node in ast.walk(parsed):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = ""
    return ast.dump(parsed).replace("Expr(value=Constant(value='')), ", "")


def check_all(chosen: dict[str, TaskCode], seeds: range, folder: Path) -> None:
    programs: list[tuple[str, str]] = []
    changed: Counter[str] = Counter()
    for name in code_names():
        for task_id, whole in chosen.items():
            for seed in seeds:
                task = halved(whole)
                made = recode(task, name, seed, task_id=task_id)
                changed[name] += not made.skipped
                assert made.skipped or made.task != task
                if "Tab" in name or "Newline" in name or "Split" in name or "Doc" in name:
                    assert tree(made.task) == tree(task), (name, task_id, seed)
                t = made.task
                source = f"{t.prompt}{t.solution}\n{t.tests}\ncheck({t.entry_point})\n"
                if not made.skipped:
                    programs.append((f"{name} {task_id} s{seed}", source))
    show({name: f"{changed[name]} of {len(chosen) * len(seeds)}" for name in code_names()})
    assert failures(programs, folder) == []
    assert all(changed[name] for name in code_names())


def test_a_sample_of_changed_solutions_passes_its_changed_tests(data: Path, tmp_path: Path) -> None:
    everything = tasks(data)
    sample = random.Random(20).sample(sorted(everything), 30)
    show(f"sample: 30 of {len(everything)} tasks, sample seed 20, seed 0")
    check_all({task_id: everything[task_id] for task_id in sample}, range(1), tmp_path)


@pytest.mark.slow
def test_every_changed_solution_passes_its_changed_tests(data: Path, tmp_path: Path) -> None:
    check_all(tasks(data), range(2), tmp_path)
