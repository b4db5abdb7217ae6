"""`coderobust perturb` writes variants; `coderobust audit` says what files of them damaged."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coderobust_strategies.edit import Edit, apply_edits
from pytest_coderobust.cli import main

PROSE = "Return twice the given number, whatever its sign happens to be."
TASK = {
    "task_id": "Toy/0",
    "prompt": f'def double(value):\n    """{PROSE}\n    >>> double(4)\n    8\n    """\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * value\n",
    "test": "def check(candidate):\n    assert candidate(3) == 6\n",
}
BARE = {**TASK, "task_id": "Toy/1", "prompt": 'def double(value):\n    """8"""\n'}
KEYS = ["task_id", "perturbation", "seed", "original_prompt", "prompt", "edits"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "tasks.jsonl").write_text(json.dumps(TASK) + "\n" + json.dumps(BARE) + "\n")
    (tmp_path / "toy.toml").write_text(
        '[suite]\ntasks = "tasks.jsonl"\nperturbations = ["C1"]\nseeds = 2\n'
    )
    return tmp_path


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path: Path, *changes: dict[str, object]) -> str:
    path.write_text("".join(json.dumps({**TASK, **change}) + "\n" for change in changes))
    return path.name


def test_rows_hold_both_prompts_and_the_edits_between_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--suite", "toy.toml", "--perturb", "C1,W2", "--seeds", "3", "--out", "f.jsonl"]
    assert main(["perturb", *arguments]) == 0
    found = rows(folder / "f.jsonl")
    assert [(row["perturbation"], row["seed"]) for row in found] == [
        (name, seed) for name in ("C1", "W2") for seed in range(3)
    ]
    for row in found:
        edits = [Edit(**edit) for edit in row["edits"]]  # type: ignore[attr-defined]
        assert list(row) == KEYS
        assert apply_edits(str(row["original_prompt"]), edits) == row["prompt"] != TASK["prompt"]
    assert capsys.readouterr().out.splitlines() == [
        "6 variants written to f.jsonl",
        "6 left out: no eligible site",
    ]


def test_the_suites_own_perturbations_and_seeds_are_the_default(folder: Path) -> None:
    assert main(["perturb", "--suite", "toy.toml", "--out", "f.jsonl"]) == 0
    assert [row["seed"] for row in rows(folder / "f.jsonl")] == [0, 1]


def test_seeds_may_be_listed(folder: Path) -> None:
    assert main(["perturb", "--suite", "toy.toml", "--seeds", "7,2", "--out", "f.jsonl"]) == 0
    assert [row["seed"] for row in rows(folder / "f.jsonl")] == [7, 2]


def test_other_processes_write_the_same_bytes(folder: Path) -> None:
    written = set()
    for hash_seed in ("1", "2"):
        out = folder / f"{hash_seed}.jsonl"
        command = ["-m", "pytest_coderobust.cli", "perturb", "--suite", "toy.toml"]
        names = ["--perturb", "C,W,S,mix_all,nlp:C1", "--seeds", "3", "--out", out.name]
        subprocess.run(
            [sys.executable, *command, *names],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
        )
        written.add(out.read_bytes())
    assert len(written) == 1


def test_an_export_passes_the_audit_and_is_read_back_as_recorded_variants(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--suite", "toy.toml", "--perturb", "nlp:C1,mix_all", "--out", "f.jsonl"]
    assert main(["perturb", *arguments]) == 0
    capsys.readouterr()
    assert main(["audit", "f.jsonl"]) == 0
    assert "0 of 4 rows are damaged" in capsys.readouterr().out
    (folder / "again.toml").write_text('[suite]\ntasks = "tasks.jsonl"\nrecorded = "f.jsonl"\n')
    from pytest_coderobust.config.suite import read_suite
    from pytest_coderobust.engine.plan import read_plan

    plan = read_plan(read_suite(folder / "again.toml"))
    assert [cell.label for cell in plan.cells] == [
        "clean",
        "recorded:nlp:C1-s0",
        "recorded:nlp:C1-s1",
        "recorded:mix_all-s0",
        "recorded:mix_all-s1",
    ]


@pytest.mark.parametrize("option", ["--rewriter", "--engine"])
def test_a_rewriter_may_be_named_on_the_command_line(folder: Path, option: str) -> None:
    (folder / "cli_rewriter.py").write_text("def ask(text):\n    return 'Please ' + text.lower()\n")
    arguments = ["--suite", "toy.toml", "--perturb", "S1", option, "S1=cli_rewriter:ask"]
    assert main(["perturb", *arguments, "--seeds", "1", "--out", "f.jsonl"]) == 0
    (row,) = rows(folder / "f.jsonl")
    assert "Please return twice" in str(row["prompt"])


def test_damaged_rows_are_counted_shown_and_fail_the_command(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = str(TASK["prompt"])
    name = write(
        folder / "foreign_s3.jsonl",
        {"prompt": clean.replace("8", "9"), "original_prompt": clean},
        {"prompt": clean.replace("twice", "twiec"), "original_prompt": clean},
        {"prompt": clean.replace('8\n    """', "8\n"), "original_prompt": clean},
        {"prompt": clean, "original_prompt": clean},
    )
    assert main(["audit", name]) == 1
    printed = capsys.readouterr().out
    assert "Toy/0 [foreign-s3] numbers: '8' became '9'" in printed
    assert "Toy/0 [foreign-s3] parse: the variant is not Python" in printed
    assert "2 of 4 rows are damaged" in printed
    (line,) = [line for line in printed.splitlines() if line.startswith("foreign")]
    #                                rows damaged parse code exam num lit layout same
    assert line.split()[1:] == ["4", "2", "1", "0", "0", "1", "0", "0", "1"]
    assert all(len(line) <= 80 for line in printed.splitlines())


def test_a_rename_that_reaches_every_mention_is_no_damage(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = str(TASK["prompt"])
    renamed = clean.replace("double", "Double")
    half = clean.replace("def double", "def Double")
    name = write(
        folder / "names.jsonl",
        {"prompt": renamed, "entry_point": "Double"},
        {"prompt": half, "entry_point": "Double", "seed": 1},
    )
    assert main(["audit", name, "--tasks", "tasks.jsonl"]) == 1
    printed = capsys.readouterr().out
    assert "Toy/0 [names-s1] examples" in printed
    assert "1 of 2 rows are damaged" in printed


def test_changes_of_code_are_told_apart(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clean = str(TASK["prompt"])
    name = write(
        folder / "code.jsonl",
        {"prompt": "x = 1\n" + clean, "original_prompt": clean, "perturbation": "recode:TabIndent"},
    )
    assert main(["audit", name]) == 0
    assert "1 rows change code by design and were not audited" in capsys.readouterr().out


def test_nlperturbators_csv_of_mbpp_is_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {
        "task_id": "2",
        "prompt": "Write a function to ad 3.",
        "original_prompt": "Write a function to add 3.",
        "code": "def f(a):\n  return a + 3",
        "test_imports": "[]",
        "test_list": "['assert f(1) == 4']",
    }
    with (folder / "mbpp_typo.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerows([row, {**row, "task_id": "3", "prompt": "Write a function to add 4."}])
    assert main(["audit", "mbpp_typo.csv"]) == 1
    assert "MBPP/3 [typo-s0] numbers: '3' became '4'" in capsys.readouterr().out


def test_text_of_foreign_rows_cannot_move_the_cursor(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = write(
        folder / "evil.jsonl",
        {"prompt": "say '\x1b[2J'", "original_prompt": "say '[red]\x1b[2J'"},
    )
    assert main(["audit", name]) == 1
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "[red]" in printed


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["perturb", "--suite", "toy.toml", "--perturb", "C9"], 4, "unknown perturbation 'C9'"),
        (["perturb", "--suite", "toy.toml", "--perturb", "S1"], 4, "'S1' (BackTranslation) needs"),
        (
            ["perturb", "--suite", "toy.toml", "--rewriter", "S1=x"],
            4,
            "S1 = 'x': is not a valid rewriter",
        ),
        (["perturb", "--suite", "toy.toml", "--rewriter", "C1=a:b"], 4, "unknown key 'C1'"),
        (["perturb", "--suite", "none.toml"], 4, "none.toml: no such file"),
        (["perturb", "--suite", "toy.toml", "--seeds", "0"], 4, "--seeds '0' must be"),
        (["perturb", "--suite", "toy.toml", "--seeds", "1,1"], 4, "--seeds '1,1' must be"),
        (["perturb", "--suite", "humaneva"], 4, "names no perturbation"),
        (["perturb", "--suite", "humaneva", "--perturb", "C1"], 4, "did you mean 'humaneval'"),
        (["audit", "none.jsonl"], 1, "none.jsonl"),
        (["audit", "tasks.jsonl"], 1, "have no 'original_prompt'"),
        (["audit", "empty.jsonl"], 1, "holds no prompts"),
        (["audit", "broken.jsonl"], 1, "broken.jsonl, line 1"),
    ],
)
def test_a_wrong_request_is_one_sentence(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    message: str,
) -> None:
    (folder / "empty.jsonl").write_text("\n")
    (folder / "broken.jsonl").write_text("{\n")
    out = ["--out", "out.jsonl"] if arguments[0] == "perturb" else []
    assert main([*arguments, *out]) == status
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (folder / "out.jsonl").exists()


def test_nothing_to_write_leaves_an_older_file_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "tasks.jsonl").write_text(json.dumps(BARE) + "\n")
    (folder / "f.jsonl").write_text("old")
    assert main(["perturb", "--suite", "toy.toml", "--out", "f.jsonl"]) == 1
    assert "nothing to write to f.jsonl: 2 no eligible site" in capsys.readouterr().err
    assert (folder / "f.jsonl").read_text() == "old"
