"""Shards of a network's run on processes side by side: merged, they are one run byte for byte."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
import scipy.stats  # noqa: F401  pytester forgets what a test imports, and NumPy loads once
from conftest import Project
from support.generation_log import DIES_IN, make_conftest

from pytest_coderobust.cli import main

SUITE = """
[suite]
tasks = "quickstart"
perturbations = ["C1"]
limit = {limit}
window = {window}
max_unusable = 1.0
gates = ["pass@1 >= 0.5", "rd[C1] <= 0.1"]
[sampling]
n = 2
temperature = 0.8
max_new_tokens = {tokens}
"""
WORDS = ("quick.toml", "--model=tiny", "--coderobust-batch-size=8")


def write_suite(project: Project, limit: int, window: int, tokens: int) -> None:
    text = SUITE.format(limit=limit, window=window, tokens=tokens)
    (project.path / "quick.toml").write_text(text)


def start(project: Project, *words: str, **environment: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-m", "pytest", *WORDS, "-p", "no:cacheprovider",
        "--coderobust-sandbox-workers=1", *words,
    ]  # fmt: skip
    return subprocess.Popen(
        command,
        cwd=project.path,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def part(index: int, count: int) -> tuple[str, str]:
    return (f"--coderobust-shard={index}/{count}", f"--coderobust-ledger=shard{index}.sqlite")


def merge_and_decide(project: Project, count: int) -> int:
    """Merges the shards' ledgers and decides; the reports are all.json and all.html."""
    ledgers = [str(project.path / f"shard{index}.sqlite") for index in range(count, 0, -1)]
    out = str(project.path / "all.sqlite")
    assert main(["merge", out, *ledgers]) == 0
    before = list_rows(Path(out))
    assert main(["merge", out, *ledgers]) == 0
    assert list_rows(Path(out)) == before, "merging twice changes nothing"
    reports = [f"--{kind}={project.path / 'all'}.{kind}" for kind in ("json", "html")]
    return main(["gate", out, "--suite", str(project.path / "quick.toml"), *reports])


def list_rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(path)
    names = ("completions", "verdicts", "observations", "runs")
    found = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    # A conclusion that is drawn again is the same one with a later number.
    found["conclusions"] = connection.execute("SELECT body FROM conclusions").fetchall()
    connection.close()
    return found


def assert_same_reports(project: Project, names: Iterable[str] = ("json", "html")) -> None:
    for name in names:
        merged, one = (project.path / f"{stem}.{name}" for stem in ("all", "one"))
        assert merged.read_bytes() == one.read_bytes()


def test_two_shards_of_a_network_are_one_run_byte_for_byte(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """The cut of the test below: fewer tasks, no death."""
    write_suite(project, limit=6, window=2, tokens=24)
    for index in (1, 2):
        assert project.run(*WORDS, *part(index, 2)).ret == 0
    whole = project.run(*WORDS, "--coderobust-json=one.json", "--coderobust-html=one.html")
    assert merge_and_decide(project, 2) == whole.ret
    assert "whole" in capsys.readouterr().out
    assert_same_reports(project)


@pytest.mark.slow
def test_four_processes_one_of_them_killed_are_one_run_byte_for_byte(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write_suite(project, limit=24, window=3, tokens=48)
    project.pytester.makeconftest(make_conftest("pytest_coderobust.models.hf:HFBackend"))
    logs = "batches.log", "computed.log"
    (dead,) = [start(project, *part(1, 4), **{DIES_IN: "3"})]
    assert dead.wait() == -signal.SIGKILL
    for name in logs:
        (project.path / name).unlink()
    ledger = project.path / "shard1.sqlite"
    stored = list_rows(ledger)
    assert stored["completions"], "it died in mid-run"
    assert not stored["conclusions"]
    assert main(["merge", str(project.path / "all.sqlite"), str(ledger)]) == 4
    assert "holds no shard: run `pytest SUITE" in capsys.readouterr().err

    running = [start(project, *part(index, 4)) for index in (1, 2, 3, 4)]
    assert [each.wait() for each in running] == [0] * 4
    again = list_rows(ledger)
    assert set(stored["completions"]) < set(again["completions"]), "what it had stays as it was"
    whole = start(project, "--coderobust-json=one.json", "--coderobust-html=one.html")
    status = whole.wait()
    assert status in (0, 1)
    assert merge_and_decide(project, 4) == status
    assert "48 items of 4 shards; whole" in capsys.readouterr().out
    assert_same_reports(project)
