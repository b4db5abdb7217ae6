"""The recipe for SLURM as it stands in the docs, on a cluster of one node."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from conftest import Project
from support.slurm_node import explain_absence, running_node

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "slurm" / "shards.sh"
GATES = 'window = 2\nperturbations = ["C1", "W2"]\ngates = ["pass@1 >= 0.5", "rd[C1] <= {most}"]'
MODEL = "replay:answers.jsonl"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(explain_absence()), reason=explain_absence()),
]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, str]]:
    """The environment of jobs: SLURM's commands, and this interpreter's pytest and coderobust."""
    commands = tmp_path_factory.mktemp("bin")
    for name, call in (
        ("pytest", "-m pytest -p no:cacheprovider --coderobust-sandbox-workers=1"),
        ("coderobust", "-c 'from pytest_coderobust.cli import main; raise SystemExit(main())'"),
    ):
        file = commands / name
        file.write_text(f'#!/bin/sh\nexec {sys.executable} {call} "$@"\n')
        file.chmod(0o755)
    with running_node(tmp_path_factory.mktemp("slurm") / "node") as environment:
        yield {**environment, "PATH": os.pathsep.join([str(commands), os.environ["PATH"]])}


def submit(project: Project, slurm: dict[str, str], count: int, folder: str) -> int:
    words = ["sh", str(SCRIPT), str(count), "toy.toml", MODEL, folder]
    return subprocess.run(words, cwd=project.path, env=slurm, check=False).returncode


@pytest.fixture
def recorded(project: Project) -> Project:
    project.write_suite(GATES.format(most=0.1))
    project.record(broken=[2, 5], unsolved=[1], cells=("C1", "W2"))
    return project


def test_array_measures_merges_and_decides_as_one_run(
    recorded: Project, slurm: dict[str, str]
) -> None:
    whole = recorded.run("toy.toml", f"--model={MODEL}", "--coderobust-html=one.html")
    assert whole.ret == 1, "rd[C1] fails"
    assert submit(recorded, slurm, 3, "shards/first") == 1
    folder = recorded.path / "shards" / "first"
    assert "18 items of 3 shards; whole" in (folder / "gate.log").read_text()
    assert (folder / "report.html").read_bytes() == (recorded.path / "one.html").read_bytes()

    recorded.write_suite(GATES.format(most=0.9))
    assert submit(recorded, slurm, 3, "shards/first") == 0, "shards go on with what they have"


def test_a_shard_that_fails_ends_the_script_and_nothing_is_decided(
    recorded: Project, slurm: dict[str, str]
) -> None:
    assert submit(recorded, slurm, 4, "shards/idle") == 1
    folder = recorded.path / "shards" / "idle"
    told = "".join((folder / f"{index}.log").read_text() for index in (1, 2, 3, 4))
    assert "has nothing to do: toy.toml has 6 tasks in 3 windows of 2" in told
    assert not (folder / "all.sqlite").exists()
