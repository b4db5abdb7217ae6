"""Whole runs against a server in a process of its own: killed, refused, and in several processes."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Project
from support.served_process import LIMIT, read_asked, serving

pytest.importorskip("urllib3")

SUITE = f"""
[suite]
tasks = "tasks.jsonl"
perturbations = ["C1"]
[sampling]
n = 12
temperature = 0.8
max_new_tokens = {LIMIT}
"""
ROWS = 6 * 2 * 12


@pytest.fixture
def served(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    (project.path / "toy.toml").write_text(SUITE)
    tests = str(Path(__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")]))
    return project


def command(url: str, *words: str) -> list[str]:
    return [
        sys.executable, "-m", "pytest", "toy.toml", f"--model={url}", "-p", "no:cacheprovider",
        "--coderobust-sandbox-workers=1", "--coderobust-concurrency=8", *words,
    ]  # fmt: skip


def run(project: Project, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(url, *words), cwd=project.path, capture_output=True, text=True, check=False
    )


def count(project: Project, query: str) -> int:
    with sqlite3.connect(project.path / ".coderobust" / "ledger.sqlite") as database:
        (found,) = database.execute(query).fetchone()
    database.close()
    return int(found or 0)


def test_kill_in_mid_window_asks_nothing_stored_again(served: Project) -> None:
    with serving(served.path, hold=100) as (url, server):
        client = subprocess.Popen(
            command(url), cwd=served.path, stdout=subprocess.DEVNULL, start_new_session=True
        )
        assert server.stdout is not None
        assert server.stdout.readline() == "holding\n"
        os.killpg(client.pid, signal.SIGKILL)
        client.wait()
        stored = count(served, "SELECT count(*) FROM completions")
        # A row goes out when an answer came in, so with 8 on their way 64 were there to be stored.
        assert 64 <= stored <= 100
        before = len(read_asked(served.path))
        (served.path / "released").touch()
        assert run(served, url).returncode == 0
    again = read_asked(served.path)[before:]
    assert len(again) == len(set(again)) == ROWS - stored
    assert count(served, "SELECT count(*) FROM completions") == ROWS


def test_report_tells_the_usage_of_all_processes(served: Project) -> None:
    with serving(served.path) as (url, _):
        result = run(served, url, "-n", "2", "--coderobust-json=out.json")
    assert result.returncode == 0, result.stdout[-3000:]
    asked = read_asked(served.path)
    assert len(asked) == len(set(asked)) == ROWS
    usage = served.json()["usage"]
    assert isinstance(usage, dict)
    assert (usage["requests"], usage["input"], usage["sessions"]) == (ROWS, 30 * ROWS, 1)
    assert usage["cost"] is None
    assert "144 requests" in " ".join(result.stdout.split())
