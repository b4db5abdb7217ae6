"""Killed runs continue: nothing is lost, nothing is computed twice, xdist or not."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Project
from support.generation_log import DIES_IN, DIES_WITH_GROUP, make_conftest, read_computed

SUITE = """
[suite]
tasks = "quickstart"
perturbations = ["C1"]
limit = 14
max_unusable = 1.0
[sampling]
n = 2
temperature = 0.8
max_new_tokens = 48
"""


@pytest.fixture
def tiny(project: Project) -> Project:
    (project.path / "quick.toml").write_text(SUITE)
    project.pytester.makeconftest(make_conftest("pytest_coderobust.models.hf:HFBackend"))
    return project


def command(*arguments: str) -> list[str]:
    return [
        sys.executable, "-m", "pytest", "quick.toml", "--model=tiny", "-p", "no:cacheprovider",
        "--coderobust-batch-size=8", "--coderobust-sandbox-workers=1", *arguments,
    ]  # fmt: skip


def finish(project: Project, *arguments: str) -> None:
    done = subprocess.run(
        command(*arguments), cwd=project.path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]


def completions(path: Path) -> dict[str, bytes]:
    database = sqlite3.connect(path)
    rows = dict(database.execute("SELECT key, text FROM completions"))
    database.close()
    return rows


def observations(path: Path) -> list[tuple[object, ...]]:
    database = sqlite3.connect(path)
    rows = database.execute(
        "SELECT task, perturbation, seed, body FROM observations ORDER BY 1, 2, 3"
    ).fetchall()
    database.close()
    return rows


def run_until_death(project: Project, *arguments: str, **environment: str) -> int:
    """The exit status of a run in which a process dies in its third batch."""
    return subprocess.run(
        command(*arguments),
        cwd=project.path,
        env={**os.environ, DIES_IN: "3", **environment},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        check=False,
    ).returncode


def test_kill_in_mid_run_loses_and_repeats_nothing(tiny: Project) -> None:
    status = run_until_death(tiny, **{DIES_WITH_GROUP: "yes"})
    assert status == -signal.SIGKILL
    ledger = tiny.path / ".coderobust" / "ledger.sqlite"
    before = completions(ledger)
    keys = read_computed(tiny.path)
    # Rows of the third batch that had ended are safe before the batch is.
    assert {*keys[:16]} < before.keys() <= {*keys}
    finish(tiny)
    after = completions(ledger)
    assert len(before) < len(after)
    assert after.items() >= before.items()
    # The batch in which the process died is the only one that may be repeated.
    keys = read_computed(tiny.path)
    assert {key for key in keys if keys.count(key) > 1} <= set(keys[16:24])
    found = observations(ledger)
    assert len(found) == len({row[:3] for row in found}) == 2 * 14
    finish(tiny, "--coderobust-ledger=whole.sqlite")
    assert completions(tiny.path / "whole.sqlite") == after
    assert observations(tiny.path / "whole.sqlite") == found


def test_death_of_the_generating_worker_leaves_a_complete_ledger(tiny: Project) -> None:
    assert run_until_death(tiny, "-n", "2") == pytest.ExitCode.TESTS_FAILED
    ledger = tiny.path / ".coderobust" / "ledger.sqlite"
    killed = completions(ledger)
    finish(tiny, "--coderobust-ledger=whole.sqlite")
    assert killed == completions(tiny.path / "whole.sqlite")


def test_two_processes_and_one_write_the_same_ledger_and_report(tiny: Project) -> None:
    for name, processes in (("one", ()), ("two", ("-n", "2"))):
        finish(
            tiny, f"--coderobust-ledger={name}.sqlite", f"--coderobust-json={name}.json", *processes
        )
    assert completions(tiny.path / "one.sqlite") == completions(tiny.path / "two.sqlite")
    assert (tiny.path / "one.json").read_bytes() == (tiny.path / "two.json").read_bytes()
    keys = read_computed(tiny.path)
    assert len(keys) == 2 * len(set(keys))  # each of the two runs computed each row once


@pytest.mark.parametrize(
    ("change", "reuses_verdicts"),
    [("", True), ("[sandbox]\ncpu_seconds = 6", False), ("test", False)],
    ids=["nothing", "limit", "assert"],
)
def test_changed_judge_reuses_completions_and_no_verdict(
    project: Project, change: str, reuses_verdicts: bool
) -> None:
    def counts() -> tuple[int, int]:
        database = sqlite3.connect(project.path / ".coderobust" / "ledger.sqlite")
        found = tuple(
            database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("completions", "verdicts")
        )
        database.close()
        return found[0], found[1]

    project.write_suite('perturbations = ["C1"]')
    project.run("toy.toml", "--model", "scripted:canonical@0.5")
    before = counts()
    if change == "test":
        rows = [
            {**row, "test": f"{row['test']}    assert candidate(0) is not None\n"}
            for row in project.tasks
        ]
        project.write_tasks(rows)
    else:
        project.write_suite('perturbations = ["C1"]', sections=change)
    project.run("toy.toml", "--model", "scripted:canonical@0.5")
    after = counts()
    assert after[0] == before[0]
    assert (after[1] == before[1]) is reuses_verdicts
    if not reuses_verdicts:
        assert after[1] == 2 * before[1]
