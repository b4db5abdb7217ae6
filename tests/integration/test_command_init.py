"""`coderobust init`: files that run as they stand, and nothing of the user's is touched."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import scipy.stats  # noqa: F401 - pytester forgets what is imported during a test
from conftest import TASKS, Project
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.cli import main
from pytest_coderobust.cli.settings_table import add_settings
from pytest_coderobust.cli.starter_files import TABLE, spell_toml
from pytest_coderobust.config.settings import read_settings
from pytest_coderobust.config.suite import read_suite

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

GITHUB = Path(".github/workflows/robustness.yml")
GITLAB = Path(".gitlab/robustness.yml")


def read_job(path: Path) -> list[str]:
    """The words of the job's command that runs pytest."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    job = yaml.safe_load(path.read_text(encoding="utf-8"))
    steps = job.get("jobs", job)["robustness"]
    lines = [*steps.get("script", ()), *(step.get("run", "") for step in steps.get("steps", ()))]
    (command,) = (line for line in lines if "pytest " in line and "-m pytest" in line)
    return shlex.split(command)


def list_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_an_empty_folder_gets_three_files_and_five_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path)]) == 0
    assert list_files(tmp_path) == {"robustness.toml", "pyproject.toml", GITHUB.as_posix()}
    assert read_settings(tmp_path).suites == (tmp_path / "robustness.toml",)
    printed = capsys.readouterr().out
    steps = printed.partition("next:\n")[2].splitlines()
    assert len(steps) == 5
    assert all(line.startswith("  ") and len(line) <= 80 for line in steps)
    assert steps[0].split("#")[0].split() == ["pytest", "robustness.toml", "--model", "tiny"]


def test_a_second_time_everything_is_named_and_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["init", str(tmp_path)])
    before = {name: (tmp_path / name).read_bytes() for name in list_files(tmp_path)}
    capsys.readouterr()
    assert main(["init", str(tmp_path)]) == 1
    assert {name: (tmp_path / name).read_bytes() for name in list_files(tmp_path)} == before
    assert capsys.readouterr().out.startswith(
        "left robustness.toml: it is there already\n"
        "left pyproject.toml: it has [tool.coderobust] already\n"
        f"left {GITHUB.as_posix()}: it is there already\n"
    )


def test_one_file_that_is_there_is_left_and_the_others_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "robustness.toml").write_text("mine")
    assert main(["init", str(tmp_path)]) == 1
    assert (tmp_path / "robustness.toml").read_text() == "mine"
    assert (tmp_path / GITHUB).is_file()
    assert "left robustness.toml" in capsys.readouterr().out


def test_the_folders_own_tasks_model_and_ci_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, model = tmp_path / "data", tmp_path / "checkpoints" / "ours"
    for folder in (data, model, tmp_path / ".venv", tmp_path / "env"):
        folder.mkdir(parents=True)
    rows = "".join(json.dumps(row) + "\n" for row in TASKS)
    (data / "a.jsonl").write_text('{"text": "no task"}\n')
    (data / "our tasks.jsonl").write_text(rows)
    (tmp_path / ".venv" / "tasks.jsonl").write_text(rows)
    (tmp_path / "env" / "tasks.jsonl").write_text(rows)
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_text("")
    (tmp_path / ".gitlab-ci.yml").write_text("stages: [test]\n")
    assert main(["init", str(tmp_path)]) == 0
    suite = read_suite(tmp_path / "robustness.toml")
    assert suite.tasks == "data/our tasks.jsonl"
    assert (tmp_path / ".gitlab-ci.yml").read_text() == "stages: [test]\n"
    assert not (tmp_path / GITHUB).exists()
    printed = capsys.readouterr().out
    assert "coderobust explain Toy/0 " in printed
    assert "pytest robustness.toml --model ./checkpoints/ours " in printed
    assert "include: {local: .gitlab/robustness.yml}" in printed
    words = read_job(tmp_path / GITLAB)
    assert words[:4] == ["python", "-m", "pytest", "robustness.toml"]


def test_next_steps_can_be_pasted_whatever_the_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my models").mkdir()
    (tmp_path / "my models" / "x;\x1b[2J.gguf").write_text("")
    (tmp_path / "\udcff tasks.jsonl").write_text(json.dumps(TASKS[0]) + "\n")
    row = {**TASKS[0], "task_id": "own/1 $(id) 'x"}
    name = "tasks\N{GRINNING FACE}\x7f\u202e.jsonl"
    (tmp_path / name).write_text(json.dumps(row) + "\n")
    assert main(["init", str(tmp_path)]) == 0
    assert read_suite(tmp_path / "robustness.toml").tasks == name
    printed = capsys.readouterr().out
    assert printed.replace("\n", "").isprintable()
    steps = [line for line in printed.splitlines() if line.startswith(("  pytest", "  coderobust"))]
    program = 'pytest() { printf \'%s\\0\' "$@"; }\ncoderobust() { pytest "$@"; }\n'
    done = subprocess.run(
        ["bash", "-c", program + "\n".join(steps)], capture_output=True, text=True, check=True
    )
    words = done.stdout.split("\0")
    assert words[3:5] == ["explain", "own/1 $(id) 'x"]
    assert words[5:8] == ["robustness.toml", "--model", "./my models/x;\x1b[2J.gguf"]


@given(st.text(st.characters(codec="utf-8")))
def test_every_text_is_spelled_as_toml(text: str) -> None:
    spelled = spell_toml(text)
    assert spelled.isprintable()
    assert tomllib.loads(f"x = {spelled}") == {"x": text}


LINES = st.sampled_from(
    ["", "# a comment", "[project]", "name = 'x'", "[tool.black]", "line-length = 9", "é = 1",
     "[[tool.uv.index]]", "[tool.coderobust]", "tool = {}", "[tool]", "x ="]
)  # fmt: skip


@given(
    lines=st.lists(LINES, max_size=6),
    end=st.sampled_from(["\n", "\r\n"]),
    closed=st.booleans(),
)
def test_a_pyproject_keeps_every_byte_before_the_table(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], end: str, closed: bool
) -> None:
    path = tmp_path_factory.mktemp("p") / "pyproject.toml"
    old = (end.join(lines) + (end if closed else "")).encode()
    path.write_bytes(old)
    left = add_settings(path.parent, path.name, TABLE)
    new = path.read_bytes()
    try:
        before = tomllib.loads(old.decode())
    except tomllib.TOMLDecodeError:
        assert left
        before = {}
    if left:
        assert new == old
        return
    assert new.startswith(old)
    assert new.count(b"\r\n") == (new.count(b"\n") if b"\r\n" in old else 0)
    line = b"\r\n" if b"\r\n" in old else b"\n"
    assert not old or line * 2 + b"[tool.coderobust]" in new, "a blank line comes before the table"
    after = tomllib.loads(new.decode())
    assert after["tool"].pop("coderobust") == {"suites": ["robustness.toml"]}
    assert after == before or after == {**before, "tool": {}}


@pytest.mark.parametrize(
    ("old", "told"),
    [
        ("x = [", "left pyproject.toml: it is not valid TOML"),
        ("tool = {a = 1}\n", "left pyproject.toml: its [tool] is a closed table"),
        ("[tool.coderobust]\n", "left pyproject.toml: it has [tool.coderobust] already"),
        ("[tool]\ncoderobust = {}\n", "left pyproject.toml: it has [tool.coderobust] already"),
    ],
)
def test_a_pyproject_that_cannot_take_the_table_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, told: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(old)
    assert main(["init", str(tmp_path)]) == 1
    assert told in capsys.readouterr().out
    assert (tmp_path / "pyproject.toml").read_text() == old


def test_a_part_of_a_project_and_no_folder_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "part").mkdir()
    assert main(["init", str(tmp_path / "part")]) == 4
    assert f"settings count: coderobust init {tmp_path}" in capsys.readouterr().err
    assert main(["init", str(tmp_path / "nowhere")]) == 4
    assert "there is no such folder" in capsys.readouterr().err
    assert list_files(tmp_path) == {"pyproject.toml"}


def run_job(project: Project, command: Path) -> None:
    """Runs the command of the job that was written, and looks at the files it must leave."""
    words = read_job(project.path / command)
    done = project.run(*words[3:])
    assert done.ret == 0, done.stdout.str()
    done.stdout.fnmatch_lines(["gate holds *pass@1 >= 0.70*"])
    for name in ("report.html", "junit.xml"):
        assert (project.path / "robustness" / name).stat().st_size > 1000


def test_the_first_tasks_of_the_written_suite_run_on_tiny_as_documented(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.path.joinpath("tasks.jsonl").unlink()
    done = subprocess.run(
        [sys.executable, "-m", "pytest_coderobust.cli", "init"],
        cwd=project.path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("wrote robustness.toml\nwrote pyproject.toml\n")
    suite = project.path / "robustness.toml"
    whole = suite.read_text()
    few = whole.replace("limit = 60", "limit = 3")
    assert few.count("limit = 3 ") == 1
    suite.write_text(few)
    run_job(project, GITHUB)
    monkeypatch.chdir(project.path)
    monkeypatch.setenv("COLUMNS", "80")
    capsys.readouterr()
    assert main(["explain", "quickstart/1"]) == 0
    story = capsys.readouterr().out
    page = (Path(__file__).parents[2] / "docs" / "explain.md").read_text(encoding="utf-8")
    block = page.partition("$ coderobust explain quickstart/1\n")[2].partition("```")[0]
    before, _, after = block.partition("...\n")
    assert story.startswith(before)
    assert story.endswith(f"\n{after}")


@pytest.mark.slow
def test_the_written_files_run_as_they_stand(project: Project) -> None:
    project.path.joinpath("tasks.jsonl").unlink()
    (project.path / ".gitlab-ci.yml").write_text("")
    assert main(["init", str(project.path)]) == 0
    run_job(project, GITLAB)
