"""A suite whose tasks use NumPy and pandas: through pytest, `check`, `doctor`, and bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import WRONG, Project
from support.distributions import lay_distribution
from support.packages_suite import make_rows

from pytest_coderobust.cli import main

PACKAGES = '[sandbox]\npackages = ["numpy", "pandas"]\ncall_seconds = 0'
ROWS = make_rows()
HOSTILE = (
    "    class Yes(np.ndarray):\n"
    "        __eq__ = lambda self, other: np.ones(np.shape(other), bool)\n"
    "        __array_function__ = lambda *_, **__: True\n"
    "        __array_ufunc__ = lambda *_, **__: np.ones(3, bool)\n"
    "    return np.zeros(3).view(Yes)\n"
)


@pytest.fixture
def tables(project: Project) -> Project:
    """A project with the ten tasks and their suite."""
    project.tasks = [dict(row) for row in ROWS]
    project.write_tasks()
    project.write_suite(sections=PACKAGES)
    return project


def answer(project: Project, text: Callable[[int], str]) -> str:
    return project.write_replay(
        {(str(row["task_id"]), "clean", 0): text(at) for at, row in enumerate(ROWS)}
    )


def test_ten_tasks_pass_their_self_check_and_no_hostile_answer_passes(tables: Project) -> None:
    model = answer(tables, lambda at: HOSTILE if at % 2 else tables.canonical(at))
    run = tables.run(f"--model={model}", "toy.toml")
    assert run.ret == 0
    run.stdout.fnmatch_lines(["toy.toml .u.u.u.u.u *", "*5 solved, 5 unsolved*"])
    assert "judged in-process" not in run.stdout.str()


def test_without_the_key_the_same_tasks_are_unusable(tables: Project) -> None:
    tables.write_suite()
    model = answer(tables, tables.canonical)
    run = tables.run(f"--model={model}", "toy.toml")
    assert run.ret != 0
    run.stdout.fnmatch_lines(["*ModuleNotFoundError: No module named 'numpy'*"])


def test_check_judges_samples_with_packages(
    tables: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = [
        {"task_id": row["task_id"], "completion": tables.canonical(at) if at < 9 else WRONG}
        for at, row in enumerate(ROWS)
    ]
    path = tables.path / "samples.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in samples))
    assert main(["check", str(path), "--suite", str(tables.path / "toy.toml")]) == 0
    assert "0.900" in capsys.readouterr().out


def test_doctor_names_the_packages_of_the_projects_suites(
    tables: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tables.path / "pyproject.toml").write_text(
        '[tool.coderobust]\nsuites = ["toy.toml", "no.toml"]\n'
    )
    tables.write_suite(name="no.toml", sections='[sandbox]\npackages = ["nunpy"]')
    monkeypatch.chdir(tables.path)
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    (line,) = [line for line in out.splitlines() if line.startswith("  toy ")]
    assert "numpy " in line
    assert "python-dateutil " in line
    (line,) = [line for line in out.splitlines() if line.startswith("  no ")]
    assert "not usable" in line
    assert "did you mean 'numpy'?" in line


SENTENCES = {
    '["nunpy"]': "[sandbox] packages: 'nunpy' is not installed; did you mean 'numpy'?",
    '["forking-one"]': "[sandbox] packages: 'forking-one' needs what the cage forbids",
}


@pytest.mark.parametrize("packages", SENTENCES)
def test_bad_packages_are_one_sentence_before_anything_runs(
    tables: Project, packages: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    forking = "import subprocess\nsubprocess.run(['true'])\n"
    lay_distribution(site, "forking-one", {"forking_one.py": forking})
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=":")
    tables.write_suite(sections=f"[sandbox]\npackages = {packages}")
    run = tables.run(f"--model={answer(tables, tables.canonical)}", "toy.toml")
    assert run.ret != 0
    text = run.stdout.str() + run.stderr.str()
    assert SENTENCES[packages] in " ".join(text.split())
    assert "Traceback" not in text
    assert "solved" not in text
