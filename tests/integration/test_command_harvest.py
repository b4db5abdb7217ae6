"""`coderobust harvest` on a package of its own and on the standard library's textwrap."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.harvest_package import write_package

from pytest_coderobust.cli import main
from pytest_coderobust.cli.harvest import explain_suite
from pytest_coderobust.harvest.children import CallRecording
from pytest_coderobust.harvest.drafts import LIMITS
from pytest_coderobust.harvest.harvesting import Harvest, HarvestPlan
from pytest_coderobust.harvest.origin import HarvestOrigin
from pytest_coderobust.records import Packages, Task, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.tasks.load import load_tasks
from pytest_coderobust.tasks.stubs import make_stub


def judge(tasks: Sequence[Task], completions: Sequence[str]) -> list[Verdict]:
    """Judges a completion of each task, under the task's own API changes."""
    with open_sandbox(2) as sandbox:
        waiting = [
            sandbox.submit(
                Check(
                    task.prompt + text,
                    task.entry_point,
                    task.tests,
                    limits=LIMITS,
                    in_process="Counter" in task.id,
                    api_changes=task.api_changes,
                )
            )
            for task, text in zip(tasks, completions, strict=True)
        ]
        return [each.result() for each in waiting]


def read_rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "tasks.jsonl").read_text().splitlines()]


def test_a_package_becomes_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tests = write_package(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    keep = tmp_path / "keep"
    keep.mkdir()
    out = tmp_path / "out"
    assert main(["harvest", "small", "--tests", str(tests), "--out", str(out)]) == 0
    rows = read_rows(out)
    assert [row["task_id"] for row in rows] == [
        "small.core.clamp", "small.core.pairs", "small.core.Counter.add"
    ]  # fmt: skip
    assert rows[0]["proof"]["branches"] == [6, 6]
    assert rows[0]["proof"]["mutants"] >= 6
    assert rows[0]["origin"]["licence"] == "unknown"
    said = capsys.readouterr().out
    assert "3 tasks kept" in said
    summary = (out / "summary.md").read_text()
    assert "its result is not the same in every process: small.core.roll" in summary
    assert "it uses files, processes, the network or the system" in summary
    assert "- small.core.same: a stub passes its tests" in summary
    assert keep.is_dir()
    tasks = load_tasks("tasks.jsonl", base=out).tasks
    assert all(each.full for each in judge(tasks, [task.canonical or "" for task in tasks]))
    assert not any(each.full for each in judge(tasks, [make_stub(task) for task in tasks]))
    reset = "    self.total = 0\n    return times * self.step\n"
    assert not judge(tasks[2:], [reset])[0].full
    # What is there is not replaced without a word.
    assert main(["harvest", "small", "--out", str(out)]) == 4
    assert "is there already; --force replaces it" in capsys.readouterr().err
    assert read_rows(out) == rows
    # The same seed makes the same bytes.
    again = tmp_path / "again"
    one = ["--only", "*.clamp"]
    assert main(["harvest", "small", "--tests", str(tests), *one, "--out", str(again)]) == 0
    assert read_rows(again) == rows[:1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["textwrap", "--tests", "nowhere"], "--tests nowhere: there is no such file or folder"),
        (["textwrap", "--seed", "-1"], "--seed -1 must not be negative"),
        (["textwarp"], "there is no package 'textwarp' here; did you mean 'textwrap'?"),
    ],
)
def test_wrong_requests_are_told_in_a_sentence(
    arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["harvest", *arguments, "--out", str(tmp_path / "out")]) == 4
    assert told in capsys.readouterr().err


def test_nothing_is_written_where_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bare_alone.py").write_text("def f(x):\n    return x\n")
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    (out / "tasks.jsonl").write_text("{}\n")
    assert main(["harvest", "bare_alone", "--force", "--out", str(out)]) == 1
    said = capsys.readouterr().out
    assert "nothing is written" in said
    assert "run pytest" not in said
    assert [path.name for path in out.iterdir()] == ["tasks.jsonl"]
    assert (out / "tasks.jsonl").read_text() == "{}\n"


@pytest.mark.parametrize(
    ("suite", "told"),
    [
        ("", "its [sandbox] packages are [], and these tasks need ['packaging']"),
        ('[sandbox]\npackages = ["other"]\n', "packages are ['other'], and these"),
        ('[sandbox]\npackages = ["packaging"]\n', ""),
        ("[", "cannot be read"),
    ],
)
def test_a_suite_that_was_there_is_told(suite: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "suite.toml"
    path.write_text(suite)
    origin = HarvestOrigin("packaging", "1", "unknown", Packages(("packaging",)))
    seen = CallRecording({}, {}, 0, 0, None, {})
    said = explain_suite(Harvest(HarvestPlan("packaging"), origin, (), (), (), seen), path)
    assert said.startswith(f"{path} was there and is left as it is")
    assert told in said
    assert ("need" in said) == ("need" in told or "these" in told)


def test_an_answer_that_imports_the_original_is_stale(tmp_path: Path) -> None:
    out = tmp_path / "out"
    only = ["--only", "textwrap.dedent", "textwrap.shorten"]
    assert main(["harvest", "textwrap", *only, "--out", str(out)]) == 0
    tasks = load_tasks("tasks.jsonl", base=out).tasks
    assert [task.id for task in tasks] == ["textwrap.shorten"]
    task = tasks[0]
    assert textwrap.shorten.__doc__ is not None
    call = "(text, width, **kwargs)\n"
    ways = (
        f"    import textwrap\n    return textwrap.shorten{call}",
        f"    from textwrap import shorten as s\n    return s{call}",
        f"    import importlib as i\n    return i.import_module('textwrap').shorten{call}",
    )
    for verdict in judge([task] * 3, ways):
        assert not verdict.full
        assert sum(use.old for use in verdict.api_uses) > 0
    free = replace(task, api_changes=())
    assert all(each.full for each in judge([free] * 3, ways))
