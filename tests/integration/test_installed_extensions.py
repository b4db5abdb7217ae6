"""A package that brings an editor, a backend, a task shape and a report format, used from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Project

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "coderobust-extras"
version = "1.0"

[project.entry-points."coderobust.editors"]
nudge = "coderobust_extras.nudge:ROW"

[project.entry-points."coderobust.backends"]
parrot = "coderobust_extras.parrot:ROW"

[project.entry-points."coderobust.shapes"]
exam = "coderobust_extras.exam:ROW"

[project.entry-points."coderobust.formats"]
csv = "coderobust_extras.csv:ROW"
raises = "coderobust_extras.broken:ROW"
missing = "coderobust_extras.nowhere:ROW"
"""

NUDGE = '''
"""An editor that moves one weight."""

from dataclasses import dataclass

import torch

from pytest_coderobust import EditorEntry, WeightEditor, weight_change


@dataclass(frozen=True)
class NudgeOptions:
    layer: int | None = None
    size: float = 0.5


class Nudge(WeightEditor[NudgeOptions]):
    def edit(self, access, request, so_far):
        layer = access.layer_index(self.options.layer, 0.5)
        projection = access.projection(layer)
        delta = torch.zeros_like(projection.master())
        delta[0, 0] = self.options.size
        return weight_change(projection, delta, so_far, {"layer": layer})


ROW = EditorEntry("coderobust_extras.nudge:Nudge", "coderobust_extras.nudge:NudgeOptions")
'''

PARROT = '''
"""A backend that answers like the oracle, or wrongly where its argument is "wrong"."""

from pytest_coderobust import BackendEntry, Scripted


def open_parrot(name, options):
    right = name == "parrot:right"
    return Scripted(lambda row: row.variant.task.canonical if right else "    pass", name=name)


ROW = BackendEntry("coderobust_extras.parrot:open_parrot", argument="WORD")
'''

EXAM = '''
"""A shape of rows: a question, an answer, and what the answer must equal."""

from pytest_coderobust import Shape, Task, Tests


def read(row, form):
    name = row.text("name")
    tests = f"def check(candidate):\\n    assert candidate(3) == {row.text('three')}\\n"
    prompt = f'def {name}(x):\\n    """{row.text("question")}"""\\n'
    return Task(row.text("exam"), prompt, name, Tests(tests, "check"), row.text("answer"))


ROW = Shape("exam", frozenset({"exam", "question", "answer", "three"}), read)
'''

CSV = '''
"""A report format: a line for each observation."""

from pytest_coderobust import Format


def render(reports):
    lines = [f"{o.task_id},{o.cell.label},{o.status.value}" for r in reports
             for o in r.run.observations]
    return "".join(line + "\\n" for line in lines)


ROW = Format("coderobust_extras.csv:render", ".csv")
'''

BROKEN = '''
"""A report format that fails."""

from pytest_coderobust import Format


def render(reports):
    raise RuntimeError("no such luck")


ROW = Format("coderobust_extras.broken:render", ".txt")
'''

EXAMS = [
    {"exam": "Exam/1", "name": "double", "question": "Return twice the given number.",
     "answer": "    return 2 * x\n", "three": "6"},
    {"exam": "Exam/2", "name": "bump", "question": "Return the number after the given one.",
     "answer": "    return x + 1\n", "three": "4"},
]  # fmt: skip


def install(scratch: Path, *, with_editor: bool) -> Path:
    """The folder that pip installed the package into, with or without its editor."""
    source, target = scratch / "source", scratch / "target"
    package = source / "coderobust_extras"
    package.mkdir(parents=True)
    editor = '[project.entry-points."coderobust.editors"]\nnudge = "coderobust_extras.nudge:ROW"\n'
    assert editor in PYPROJECT
    (source / "pyproject.toml").write_text(PYPROJECT.replace("" if with_editor else editor, ""))
    files = {"parrot": PARROT, "exam": EXAM, "csv": CSV, "broken": BROKEN, "__init__": ""}
    if with_editor:
        files["nudge"] = NUDGE
    for name, text in files.items():
        (package / f"{name}.py").write_text(text)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
         "--no-build-isolation", "--target", target, source],
        check=True, capture_output=True,
    )  # fmt: skip
    return target


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("whole"), with_editor=True)


@pytest.fixture
def extended(project: Project, installed: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    path = [str(installed), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))
    (project.path / "exams.jsonl").write_text("".join(json.dumps(row) + "\n" for row in EXAMS))
    (project.path / "exam.toml").write_text('[suite]\ntasks = "exams.jsonl"\n')
    return project


def run_command(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest_coderobust.cli", *words],
        cwd=project.path, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_backend_shape_and_format_of_a_package_are_used(extended: Project) -> None:
    result = extended.run("exam.toml", "--model=parrot:right", "--coderobust-csv=out.csv")
    assert result.ret == 0, result.stdout.str()
    assert (extended.path / "out.csv").read_text() == ("Exam/1,clean,solved\nExam/2,clean,solved\n")
    result = extended.run("exam.toml", "--model=parrot:wrong", "--coderobust-csv=out.csv")
    assert "Exam/1,clean,unsolved" in (extended.path / "out.csv").read_text()
    written = run_command(extended, "report", "--csv", "again.csv", "--suite", "exam")
    assert written.returncode == 0, written.stderr
    assert (extended.path / "again.csv").read_text() == (extended.path / "out.csv").read_text()


def test_shape_of_a_package_is_named_like_ours(extended: Project) -> None:
    (extended.path / "exam.toml").write_text('[suite]\ntasks = "exams.jsonl"\nformat = "exams"\n')
    result = extended.run("exam.toml", "--model=parrot:right")
    assert "did you mean 'exam'?" in result.stdout.str()


def test_editor_of_a_package_edits_a_model(extended: Project) -> None:
    (extended.path / "quick.toml").write_text(
        '[suite]\ntasks = "quickstart"\nperturbations = ["C3"]\nlimit = 6\n'
        "max_unusable = 1.0\n[sampling]\nmax_new_tokens = 48\n"
    )
    made = run_command(
        extended,
        "edit",
        "--model=tiny",
        "--edit=nudge:size=0.25",
        "--suite=quick.toml",
        "--out=fix",
    )
    assert made.returncode == 0, made.stderr
    assert "nudge:size=0.25 for quickstart/" in made.stdout
    record = json.loads((extended.path / "fix" / "edit.json").read_text())
    assert "nudge" in json.dumps(record)
    wrong = run_command(
        extended, "edit", "--model=tiny", "--edit=nugde", "--suite=quick.toml", "--out=other"
    )
    assert wrong.returncode == 4
    assert "did you mean 'nudge'?" in wrong.stderr


def test_an_editor_of_ones_own_needs_one_file_and_a_row(
    project: Project, installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package without its editor lacks one file and one row, and then there is no editor."""
    without = install(tmp_path, with_editor=False)

    def files(folder: Path) -> dict[str, str]:
        found = [*folder.rglob("coderobust_extras/*.py"), *folder.rglob("entry_points.txt")]
        return {path.name: path.read_text() for path in found}

    more, less = files(installed), files(without)
    assert {name for name in more if more[name] != less.get(name)} == {
        "nudge.py", "entry_points.txt",
    }  # fmt: skip
    rows = set(more["entry_points.txt"].splitlines()) - set(less["entry_points.txt"].splitlines())
    assert rows == {"[coderobust.editors]", "nudge = coderobust_extras.nudge:ROW"}
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(without), *sys.path]))
    project.write_suite()
    refused = run_command(
        project, "edit", "--model=tiny", "--edit=nudge", "--suite=toy.toml", "--out=x"
    )
    assert refused.returncode == 4
    assert "nudge" in refused.stderr


def test_a_format_that_fails_is_one_sentence_and_loses_no_report(extended: Project) -> None:
    result = extended.run("exam.toml", "--model=parrot:right", "--coderobust-raises=out.txt")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    output = result.stdout.str()
    assert "Traceback" not in output
    assert "2 solved" in output
    assert "pass@1" in output
    assert "'coderobust_extras.broken:render' of 'raises' fails: RuntimeError: no such luck" in (
        " ".join(output.split())
    )
    written = run_command(extended, "report", "--raises", "again.txt")
    assert written.returncode == 4
    assert "RuntimeError: no such luck" in written.stderr
    assert "Traceback" not in written.stderr


def test_a_format_that_cannot_be_imported_is_refused_before_anything_runs(
    extended: Project,
) -> None:
    result = extended.run("exam.toml", "--model=parrot:right", "--coderobust-missing=out.txt")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "coderobust.formats: 'missing' of the package coderobust-extras" in result.stderr.str()


def test_a_name_that_is_ours_already_is_one_sentence(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "clash-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: clash\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[coderobust.backends]\noracle = clash:ROW\n[coderobust.formats]\ndevice = clash:ROW\n"
    )
    project.write_suite()
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    )
    assert project.run("--collect-only", "-q").ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result = project.run("toy.toml", "--model=oracle")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "'device' of an installed package has the name of the option" in result.stderr.str()
    (info / "entry_points.txt").write_text("[coderobust.backends]\noracle = clash:ROW\n")
    result = project.run("toy.toml", "--model=oracle")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert (
        "coderobust.backends: the name 'oracle' is used by both pytest-coderobust and clash"
        in result.stderr.str()
    )
