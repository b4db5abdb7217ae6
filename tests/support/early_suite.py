"""A suite of many tasks whose gates may settle before all are asked, and what its runs leave."""

from __future__ import annotations

import sqlite3

import pytest
from conftest import Project

MANY = 60
EARLY = (
    'perturbations = ["C1"]\nearly = true\n'
    'gates = [{ gate = "pass@1 >= 0.8", confidence = 0.95 }, "broken <= 30"]'
)


def row(index: int) -> dict[str, object]:
    return {
        "task_id": f"Many/{index}",
        "prompt": f'def f{index}(value):\n    """Return the given number and {index} more than it."""\n',
        "entry_point": f"f{index}",
        "canonical_solution": f"    return value + {index}\n",
        "test": f"def check(candidate):\n    assert candidate(3) == {3 + index}\n",
    }


def of_many_tasks(project: Project) -> Project:
    """The project with these tasks, and with `EARLY` in many.toml."""
    project.tasks = [row(index) for index in range(MANY)]
    project.write_tasks()
    project.write_suite(EARLY, name="many.toml")
    return project


def run(many: Project, *words: str, model: str = "oracle") -> pytest.RunResult:
    return many.run("many.toml", "--model", model, "--coderobust-json=out.json", *words)


def said(result: pytest.RunResult) -> str:
    return " ".join(result.stdout.str().split())


def completions(many: Project) -> int:
    with sqlite3.connect(many.path / ".coderobust" / "ledger.sqlite") as database:
        (count,) = database.execute("SELECT count(*) FROM completions").fetchone()
    return int(count)


def outcomes(many: Project) -> list[str]:
    gates = many.json()["gates"]
    assert isinstance(gates, list)
    return [gate["outcome"] for gate in gates]


def forget(many: Project) -> None:
    for file in (many.path / ".coderobust").iterdir():
        file.unlink()
