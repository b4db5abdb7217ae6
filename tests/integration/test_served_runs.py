"""Whole runs against a server in a process of its own: killed, refused, and in several processes."""

from __future__ import annotations

import json
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
    assert len(set(again)) == ROWS - stored
    # What the killed client had on its way may reach the server's log after its death.
    assert len(again) <= ROWS - stored + 8
    assert count(served, "SELECT count(*) FROM completions") == ROWS


@pytest.mark.slow
def test_report_tells_the_usage_of_all_processes(served: Project) -> None:
    with serving(served.path) as (url, _):
        result = run(served, url, "-n", "2", "--coderobust-json=out.json")
    assert result.returncode == 0, result.stdout[-3000:]
    asked = read_asked(served.path)
    assert len(asked) == len(set(asked)) == ROWS
    usage = served.json()["usage"]
    assert isinstance(usage, dict)
    watching = usage["watching"]
    assert (usage["requests"] - watching["requests"], usage["sessions"]) == (ROWS, 1)
    assert usage["input"] - watching["input"] == 30 * ROWS
    assert usage["cost"] is usage["cost_at_most"] is None
    assert count(served, "SELECT count(*) FROM watching WHERE run = ''") == 0
    told = f"{usage['requests']} requests, {watching['requests']} of them canary"
    assert told in " ".join(result.stdout.split())


def test_usage_of_a_report_has_the_requests_of_a_hunt(served: Project) -> None:
    with serving(served.path) as (url, _):
        result = run(served, url, "--hunt", "--budget=60", "--coderobust-json=out.json")
    assert result.returncode == 0, result.stdout[-3000:]
    asked = len(read_asked(served.path))
    assert asked > ROWS
    usage = served.json()["usage"]
    assert isinstance(usage, dict)
    watching = usage["watching"]
    assert usage["requests"] - watching["requests"] == asked
    assert usage["output"] - watching["output"] == 10 * asked
    assert f"{usage['requests']} requests" in " ".join(result.stdout.split())
    again = subprocess.run(
        [sys.executable, "-m", "pytest_coderobust.cli", "report", "--json=again.json"],
        cwd=served.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert json.loads((served.path / "again.json").read_text())["usage"] == usage


PRICED = """
[tool.coderobust.models.prod]
server = "{url}"
price = {{ input = 1000, output = 1000 }}
"""


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_budget_in_money_ends_a_run_before_it_is_passed(served: Project, workers: str) -> None:
    """A row costs 0.04; the worst case of a task's 24 rows, and of a look, is far above that."""
    with serving(served.path) as (url, _):
        (served.path / "pyproject.toml").write_text(PRICED.format(url=url))
        words = ("--budget=18usd", "-n", workers, "--coderobust-json=out.json")
        result = run(served, url, "--model=prod", *words)
    assert result.returncode == 0, result.stdout[-3000:]
    found = served.json()
    usage, early, items = found["usage"], found["early"], found["items"]
    assert isinstance(usage, dict)
    assert isinstance(early, dict)
    assert isinstance(items, list)
    asked = read_asked(served.path)
    watching = usage["watching"]
    assert len(asked) == len(set(asked)) == usage["requests"] - watching["requests"] > 0
    watched = (watching["input"] + watching["output"]) / 1000
    assert usage["cost"] == pytest.approx(0.04 * len(asked) + watched)
    assert usage["cost"] <= usage["cost_at_most"] <= 18
    assert early["ended"] == "budget"
    assert not found["complete"]
    assert len(items) * 12 == early["asked"] == len(asked)


def test_refused_rows_are_told_and_a_new_run_asks_them_again(served: Project) -> None:
    (served.path / "refused").write_text("double")
    with serving(served.path) as (url, _):
        result = run(served, url, "--coderobust-json=out.json")
        told = " ".join(result.stdout.split())
        assert "PARTIAL: the server refused 24 of 144 completions" in told
        assert "refused by the server: 24 of 144 completions, which count as unsolved" in told
        found = served.json()
        assert "24 of them: the server ended it by 'content_filter'" in told
        reason = "the server ended it by 'content_filter'"
        assert found["refusals"] == [{"reason": reason, "completions": 24}]
        assert found["totals"]["refused"] == 24  # type: ignore[index,call-overload]
        assert found["metrics"]["clean"]["refused"] == 12  # type: ignore[index,call-overload]
        assert found["metrics"]["clean"]["pass@1"] == pytest.approx(5 / 6)  # type: ignore[index,call-overload]
        (served.path / "refused").unlink()
        assert run(served, url, "--coderobust-json=out.json").returncode == 0
    assert len(read_asked(served.path)) == ROWS + 24
    assert served.json()["complete"]
    assert "refusals" not in served.json()
    assert "refused" not in served.json()["totals"]  # type: ignore[operator]


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_costs_without_a_cap_are_refused_before_anything_is_asked(
    served: Project, workers: str
) -> None:
    with serving(served.path) as (url, _):
        (served.path / "pyproject.toml").write_text(PRICED.format(url=url))
        result = run(served, url, "--model=prod", "-n", workers)
    assert result.returncode != 0
    told = " ".join((result.stdout + result.stderr).split())
    assert "and no budget bounds it: say how much it may spend, as in --budget" in told
    assert "144 requests" in told
    assert read_asked(served.path) == []


def test_plan_asks_nothing(served: Project) -> None:
    with serving(served.path) as (url, _):
        for how, words in (("", "144 requests at most"), ("=probe", "144 requests of 144")):
            result = run(served, url, f"--coderobust-plan{how}")
            assert result.returncode == 0
            assert words in result.stdout
    assert read_asked(served.path) == []
    assert not (served.path / "out.json").exists()
