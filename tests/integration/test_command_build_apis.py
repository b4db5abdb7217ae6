"""`coderobust build-apis`: files that a person reviews, and bad input in one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.migration_builds import build, write
from support.migration_corpus import ROWS, write_corpus

from pytest_coderobust.cli import main
from pytest_coderobust.config.settings import Settings
from pytest_coderobust.config.table import read_toml
from pytest_coderobust.migration.corpus import load_corpus
from pytest_coderobust.migration.judging import make_judge
from pytest_coderobust.migration.spelling import count_decision, spell_changes
from pytest_coderobust.records import ApiChange
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.calibration import JudgeAll
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.models import open_tokenizer
from pytest_coderobust.tasks.load import load_tasks

COMMAND = ("build-apis", "--preset", "study", "--out", "out", "--tasks")


def test_the_command_is_the_same_under_another_hash_seed(tmp_path: Path) -> None:
    source = write_corpus(tmp_path)
    made: list[dict[str, bytes]] = []
    for seed in ("0", "77"):
        command = [
            sys.executable,
            "-m",
            "pytest_coderobust.cli",
            "build-apis",
            "--tasks",
            str(source),
        ]
        ran = subprocess.run(
            [*command, "--out", f"out{seed}", "--workers", "1"], cwd=tmp_path, check=False,
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        assert "4 changes: reliability 4, generalisation 5, specificity" in ran.stdout
        made.append({p.name: p.read_bytes() for p in sorted((tmp_path / f"out{seed}").iterdir())})
    assert made[0] == made[1]
    assert sorted(made[0]) == ["changes.toml", "suite.toml", "tasks.jsonl"]


@pytest.fixture(scope="module")
def judge() -> Iterator[JudgeAll]:
    with open_sandbox(2) as sandbox:
        yield make_judge(sandbox)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_reviewer_deletes_and_the_rest_stays(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_corpus(here)
    assert main([*COMMAND, "toys.jsonl"]) == 0
    assert main([*COMMAND, "toys.jsonl", "--check"]) == 0
    assert "as a build makes it" in capsys.readouterr().out
    path = here / "out" / "changes.toml"
    text = path.read_text()
    rows = (here / "out" / "tasks.jsonl").read_text().splitlines()
    at = text.index('[[change]]\nold = "math.pow"')
    end = text.index("[[change]]", at + 1)
    reviewed = (
        (text[:at] + text[end:]).replace('  "Toy/star",\n', "").replace('  "Toy/plain",\n', "")
    )
    path.write_text(reviewed)
    assert main([*COMMAND, "toys.jsonl", "--check"]) == 1
    assert "tasks.jsonl: line" in capsys.readouterr().out
    assert main([*COMMAND, "toys.jsonl"]) == 0
    assert path.read_text() == reviewed
    gone = ("Toy/power", "Toy/power2", "Toy/star", "Toy/plain")
    left = [row for row in rows if json.loads(row)["task_id"] not in gone]
    assert (here / "out" / "tasks.jsonl").read_text().splitlines() == left
    # Sampling and gates of the user's own stay.
    suite = here / "out" / "suite.toml"
    suite.write_text(suite.read_text() + "temperature = 0.5\n")
    own = suite.read_text()
    assert main([*COMMAND, "toys.jsonl", "--check"]) == 0
    assert main([*COMMAND, "toys.jsonl", "--fresh"]) == 0
    assert (path.read_text(), suite.read_text()) == (text, own)


def test_the_suite_runs_and_the_oracle_adopts(
    project: object, tmp_path: Path, judge: JudgeAll
) -> None:
    from conftest import Project

    assert isinstance(project, Project)
    benchmark = build(write_corpus(tmp_path), judge)
    folder = write(benchmark, project.path)
    result = project.run(
        folder / "suite.toml", "--model", "oracle", "--coderobust-json", "out.json"
    )
    assert result.ret == 0, result.stdout
    found = project.json()
    changed = sum(benchmark.sizes[1:3])
    stages = dict.fromkeys(("n", "parses", "loads", "resolves", "passes"), changed)
    assert found["adoption"]["conditions"]["clean"] == {
        "correct": changed, "incorrect": 0, "workaround": 0, "none": 0, "stale": 0,
        "stages": stages,
    }  # fmt: skip
    # The oracle's answers are for the new world: they run in no other.
    assert found["adoption"]["eligible"]["eligible"] == 0
    assert found["totals"]["unusable"] == []


def test_a_word_of_the_old_name_is_tagged(tmp_path: Path, judge: JudgeAll) -> None:
    folder = write(build(write_corpus(tmp_path), judge), tmp_path / "out")
    tags = {
        task.id: task.tags for task in load_tasks(str(folder / "tasks.jsonl"), base=folder).tasks
    }
    assert "shown:old" in tags["Toy/shown"]
    assert "shown:old" not in tags["Toy/shadowed"]


def test_what_was_built_is_written_down(tmp_path: Path, judge: JudgeAll) -> None:
    folder = write(build(write_corpus(tmp_path), judge, seed=3), tmp_path / "out")
    document = read_toml(folder / "changes.toml")
    assert isinstance(document["build"], dict)
    assert document["build"]["seed"] == 3
    assert document["build"]["kinds"] == ["modules", "builtins", "renamed"]
    tables = {table["old"]: table for table in document["change"]}  # type: ignore[attr-defined]
    assert tables["sum"]["excluded"]["Toy/taken"] == "the task has the word 'total_of'"


NO_SOLUTION = [{**row, "canonical_solution": None} for row in ROWS[:3]]
BAD = {
    "nothing named": (["--tasks", ","], 4, "--tasks names no data set and no file"),
    "an unknown data set": (["--tasks", "humanevil"], 4, "unknown data set 'humanevil'; did you mean 'humaneval'"),
    "no such file": (["--tasks", "none/there.jsonl"], 1, "there is no such file of tasks; it is not in"),
    "no solutions": (["--tasks", "bare.jsonl"], 1, "no task can be used: tasks without a canonical solution"),
    "twice the same": (["--tasks", "toys.jsonl,toys.jsonl"], 1, "the task id 'Toy/alias' comes twice"),
    "an unknown kind": (["--tasks", "toys.jsonl", "--kinds", "renaimed"], 4, "unknown kind 'renaimed'; did you mean 'renamed'"),
    "unknown names": (["--tasks", "toys.jsonl", "--names", "tabel"], 4, "--names 'tabel' must be table, short, prefix, nonsense, or a file"),
    "no table": (["--tasks", "toys.jsonl", "--names", "no.tsv"], 1, "no.tsv: the file cannot be read"),
    "a method": (["--tasks", "toys.jsonl", "--names", "method.tsv"], 1, "method.tsv: 'str.join' is a method of the type 'str'"),
    "no such API": (["--tasks", "toys.jsonl", "--names", "gone.tsv"], 1, "gone.tsv: there is no function 'math.sqroot' in the standard library; did you mean 'math.sqrt'"),
    "no pair": (["--tasks", "toys.jsonl", "--names", "one.tsv"], 1, "no API has 2 tasks that pass every check, of 2 pairs"),
    "a wrong line": (["--tasks", "toys.jsonl", "--names", "line.tsv"], 1, "line.tsv, line 1: expected an old and a new name, not 'math.sqrt'"),
    "no model": (["--tasks", "toys.jsonl", "--tokenizer", "tinny"], 4, "unknown model 'tinny'; did you mean 'tiny'"),
    "no tokenizer": (["--tasks", "toys.jsonl", "--tokenizer", "oracle"], 4, "--tokenizer: 'oracle' has no tokenizer here"),
    "a negative seed": (["--tasks", "toys.jsonl", "--seed", "-1"], 4, "--seed -1 must not be negative"),
    "a file for a folder": (["--tasks", "toys.jsonl", "--out", "toys.jsonl"], 4, "--out toys.jsonl: "),
    "a file above the folder": (["--tasks", "toys.jsonl", "--out", "toys.jsonl/a/b"], 4, "toys.jsonl is a file, and a folder is needed"),
    "nothing to check": (["--tasks", "toys.jsonl", "--check"], 4, "there is nothing to compare with"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    write_corpus(here)
    (here / "bare.jsonl").write_text("".join(json.dumps(row) + "\n" for row in NO_SOLUTION))
    (here / "method.tsv").write_text("str.join\tstr.glue\n")
    (here / "gone.tsv").write_text("old\tnew\nmath.sqroot\tmath.root\n")
    (here / "one.tsv").write_text("re.split\tre.cut\nmath.ceil\tmath.up\n")
    (here / "line.tsv").write_text("math.sqrt\n")
    arguments, status, sentence = BAD[name]
    assert main(["build-apis", "--out", "out", *arguments]) == status
    told = capsys.readouterr().err.splitlines()
    assert sentence in told[-1], told
    assert len(told) == 1 or name == "no pair", told  # it is told before anything runs
    assert all("Traceback" not in line for line in told)


def test_another_build_in_the_same_folder_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_corpus(here)
    assert main([*COMMAND, "toys.jsonl"]) == 0
    assert main([*COMMAND, "toys.jsonl", "--seed", "4"]) == 4
    assert (
        "it was built with seed = 0, not 4; give another --out, or --fresh"
        in capsys.readouterr().err
    )


def test_files_below_the_data_folder_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "own").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    write_corpus(tmp_path / "data" / "own")
    monkeypatch.setenv("CODEROBUST_DATA", str(tmp_path / "data"))
    found = load_corpus(("own/toys.jsonl",), tmp_path / "here")
    assert len(found.problems) == len(ROWS)
    # A file that lies here comes first.
    (tmp_path / "here" / "own").mkdir()
    write_corpus(tmp_path / "here" / "own", ROWS[:1])
    assert len(load_corpus(("own/toys.jsonl",), tmp_path / "here").problems) == 1


def test_tasks_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    rows = [
        ROWS[0],
        {**ROWS[1], "canonical_solution": None},
        {**ROWS[2], "canonical_solution": "    return (\n"},
        {**ROWS[3], "api_changes": [{"old": "len", "new": "size_of"}]},
    ]
    assert load_corpus((str(write_corpus(tmp_path, rows)),), tmp_path).left_out == {
        "tasks without a canonical solution": 1,
        "tasks whose prompt and solution are not a valid Python program": 1,
        "tasks that declare API changes already": 1,
    }


@pytest.mark.parametrize(
    ("old", "new", "tokens"),
    [
        ("math.sqrt", "math.mean", 3),  # me an (
        ("math.sqrt", "math.square_root", 7),  # s, and then qua re _ ro o t (
        ("statistics.mean", "statistics.sum", 2),  # sum (
        ("len", "size_of", 5),  # size _ o f (
        ("math.sqrt", "math.sqrt", 0),
    ],
)
def test_names_are_counted_in_tokens_of_a_model(old: str, new: str, tokens: int) -> None:
    assert (
        count_decision(ApiChange(old, new), open_tokenizer(Choices(model="tiny"), Settings()))
        == tokens
    )


def test_the_command_tells_the_tokens(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_corpus(here)
    (here / "two.tsv").write_text("math.floor\tmath.mean\nsum\tsize_of\n")
    arguments = ["toys.jsonl", "--names", "two.tsv", "--tokenizer", "tiny"]
    assert main([*COMMAND, *arguments]) == 0
    assert capsys.readouterr().out.endswith(
        "new names in tokens of tiny, from where they differ from the old through the bracket: "
        "3 (math.mean) to 5 (size_of), median 4\n"
    )
    assert (
        spell_changes([ApiChange("len")], open_tokenizer(Choices(model="tiny"), Settings())) is None
    )
