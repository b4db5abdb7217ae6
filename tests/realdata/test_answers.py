"""Answers of kinds that users of other harnesses reported: each is right, by check and by replay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Project

from pytest_coderobust.cli import main

FILES = {"f": ("f_samples", "f_tasks", 7), "io": ("io_samples", "io_tasks", 2),
         "solution": ("solution_rows", "f_tasks", 1)}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_every_answer_is_right(name: str, project: Project, data: Path) -> None:
    samples, tasks, count = FILES[name]
    folder = data / "answers"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    results = project.path / "results.jsonl"
    words = ["check", folder / f"{samples}.jsonl", "--suite", folder / f"{tasks}.jsonl"]
    words += ["--extraction", "code", "--workers", "1", "--results", results]
    assert main(list(map(str, words))) == 0
    judged = [json.loads(line) for line in results.read_text().splitlines()]
    assert [row["passed"] for row in judged] == [True] * count

    (project.path / "tasks.jsonl").write_bytes((folder / f"{tasks}.jsonl").read_bytes())
    project.write_suite()
    project.run(
        "toy.toml", "--model", f"replay:{folder / samples}.jsonl", "--coderobust-json=out.json"
    )
    items = project.json()["items"]
    assert isinstance(items, list)
    solved = [item["task"] for item in items if item["status"] == "solved"]
    assert sorted(solved) == sorted(row["task_id"] for row in judged)
