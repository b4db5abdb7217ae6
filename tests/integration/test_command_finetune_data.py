"""`coderobust finetune-data` writes sets and a manifest, the same bytes in every process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_coderobust.cli import main
from pytest_coderobust.errors import DataError
from pytest_coderobust.training.material import read_material
from tests.support.training_rows import alpaca_rows, write_rows

SUITE_ROWS = "".join(
    json.dumps(
        {
            "task_id": f"Own/{number}",
            "prompt": f'def f(x):\n    """{prose}"""\n',
            "entry_point": "f",
            "canonical_solution": "    return x\n",
            "test": "def check(candidate):\n    assert candidate(1) == 1\n",
        }
    )
    + "\n"
    for number, prose in enumerate(["Give back what the caller handed over, unchanged.", "Short."])
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = alpaca_rows(20)
    rows[3]["instruction"] = "Give back what the caller handed over, unchanged. Be quick about it."
    write_rows(tmp_path / "rows.jsonl", rows)
    (tmp_path / "own.jsonl").write_text(SUITE_ROWS)
    (tmp_path / "own.toml").write_text('[suite]\ntasks = "own.jsonl"\nperturbations = ["C1"]\n')
    return tmp_path


def run_data(*words: str) -> int:
    return main(["finetune-data", *words])


def test_same_seed_same_bytes_whatever_the_hash_seed(folder: Path) -> None:
    for hashes in ("1", "2"):
        words = [
            "-m",
            "pytest_coderobust.cli",
            "finetune-data",
            "rows.jsonl",
            "--out",
            f"out{hashes}",
        ]
        subprocess.run(
            [sys.executable, *words], check=True, env={**os.environ, "PYTHONHASHSEED": hashes}
        )
    first, second = (
        {path.name: path.read_bytes() for path in (folder / f"out{hashes}").iterdir()}
        for hashes in ("1", "2")
    )
    assert len(first) == 33  # 32 sets without S1, and the manifest
    assert first == second
    assert run_data("rows.jsonl", "--out", "other", "--seed", "43", "--sets", "C1,clean") == 0
    assert (folder / "other" / "C1.jsonl").read_bytes() != first["C1.jsonl"]
    assert (folder / "other" / "clean.jsonl").read_bytes() == first["clean.jsonl"]


def test_the_command_says_what_it_built(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run_data("rows.jsonl", "--out", "out", "--sets", "aggregates,singles", "--rows", "10") == 0
    )
    out = capsys.readouterr().out
    assert "rows.jsonl: 10 rows of the format alpaca\n" in out
    assert "C1       10 rows, 10 perturbed\n" in out
    assert "not built: S1 (needs --rewriter, such as S1=apertium)\n" in out
    assert "not compared with any suite" in out
    manifest = json.loads((folder / "out" / "manifest.json").read_text())
    assert manifest["missing"] == ["S1"]
    assert manifest["source"]["rows"] == 10
    assert manifest["template"].startswith("### Instruction:")
    assert str(folder) not in (folder / "out" / "manifest.json").read_text()


def test_rows_that_a_suite_asks_for_are_refused_or_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_data("rows.jsonl", "--out", "out", "--sets", "C1", "--suite", "own.toml") == 1
    assert capsys.readouterr().err == (
        "coderobust: rows.jsonl: 1 of 20 rows are also in the suite own.toml, the first is row 4 "
        "(prompt of Own/0); --decontaminate leaves them out\n"
    )
    assert not (folder / "out").exists()
    words = ["--suite", "own.toml", "--suite", "own.jsonl", "--decontaminate"]
    assert run_data("rows.jsonl", "--out", "out", "--sets", "C1", *words) == 0
    assert "1 row left out: also in the suite own.toml\n" in capsys.readouterr().out
    ids = [
        json.loads(line)["id"] for line in (folder / "out" / "C1.jsonl").read_text().splitlines()
    ]
    assert ids == [str(number) for number in range(1, 21) if number != 4]
    suites = json.loads((folder / "out" / "manifest.json").read_text())["suites"]
    assert suites["compared"] == {"own.toml": 1, "own.jsonl": 0}
    assert len(set(suites["tasks"].values())) == 1  # the two have the same tasks


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent.jsonl"], "absent.jsonl: there is no such file"),
        (["rows.jsonl", "--sets", "S1"], "--sets S1: the perturbation 'S1' (BackTranslation) needs a rewriter: --rewriter S1=apertium"),
        (["rows.jsonl", "--sets", "clean,S1+C1"], "--sets S1: the perturbation 'S1' (BackTranslation) needs a rewriter"),
        (["tiny:corpus", "--format", "foo"], "format 'foo': tiny:corpus has rows of the format 'tasks'"),
        (["rows.jsonl", "--sets", " , "], "--sets ' , ' names no set; valid groups are all, clean"),
        (["rows.jsonl", "--sets", "recode:rename"], "--sets recode:rename: perturbation 'recode:rename' changes code, not prose"),
        (["rows.jsonl", "--ratios", "10,100"], "--ratios 100 must lie between 1 and 99; clean has 0 %, and mix_all 100 %"),
        (["rows.jsonl", "--ratios", "x"], "--ratios 'x' must be a whole number from 1"),
        (["rows.jsonl", "--sizes", "0"], "--sizes '0' must be a multiple of the data, above 0 up to 100"),
        (["rows.jsonl", "--rows", "0"], "--rows '0' must be a whole number from 1"),
        (["rows.jsonl", "--decontaminate"], "--decontaminate needs a suite to compare with: --suite SUITE"),
        (["rows.jsonl", "--rewriter", "C1=apertium"], "'C1'"),
        (["rows.jsonl", "--rewriter", "S1=rows:x.csv"], "--rewriter S1=rows:x.csv: recorded rows are of a suite's tasks"),
        (["rows.jsonl", "--suite", "humanevil"], "did you mean 'humaneval'"),
        (["rows.jsonl", "--format", "tasks"], "rows.jsonl, line 1: the key 'prompt' is missing"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused_in_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert run_data(*words, "--out", "out") in (1, 4)
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (folder / "out").exists()


@pytest.mark.parametrize("name", ["clean", "C1", "mix_all"])
def test_a_set_is_not_written_over_the_data(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (folder / "own").mkdir()
    source = (folder / "rows.jsonl").rename(folder / "own" / f"{name}.jsonl")
    before = source.read_bytes()
    assert run_data(f"own/{name}.jsonl", "--out", "./own/", "--sets", f"{name},C2") == 4
    told = f"--out own: the set {name} would be written over the data, own/{name}.jsonl"
    assert told in capsys.readouterr().err
    assert [each.read_bytes() for each in (folder / "own").iterdir()] == [before]


def test_a_foreign_manifest_stays(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "manifest.json").write_text('{"name": "an app"}')
    assert run_data("rows.jsonl", "--out", "out", "--sets", "C1") == 4
    assert "--out out: its manifest.json is not one of finetune-data" in capsys.readouterr().err
    assert (folder / "out" / "manifest.json").read_text() == '{"name": "an app"}'


def test_a_set_that_is_built_of_a_built_set_keeps_the_template(folder: Path) -> None:
    """The clean control and the perturbed model are asked in one form."""
    assert run_data("rows.jsonl", "--out", "first", "--sets", "clean") == 0
    assert run_data("first/clean.jsonl", "--out", "second", "--sets", "clean,C1") == 0
    one, two = (
        json.loads((folder / name / "manifest.json").read_text()) for name in ("first", "second")
    )
    assert one["template"] == two["template"] != "{prompt}"
    materials = [
        read_material("first/clean.jsonl"),
        read_material("first/clean.jsonl", chosen="C1"),
        read_material("second/C1.jsonl"),
        read_material("rows.jsonl", chosen="C1"),
    ]
    assert {each.template for each in materials} == {one["template"]}
    assert materials[1].digest == materials[2].digest
    assert run_data("first/clean.jsonl", "--out", "first", "--sets", "C1") == 0
    (folder / "first" / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"manifest.json, .* is missing"):
        read_material("first/clean.jsonl", chosen="C1")


def test_all_rows_in_a_suite_leave_nothing_to_train_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"instruction": "Give back what the caller handed over, unchanged.", "output": "x"}
    write_rows(folder / "rows.jsonl", [row])
    assert run_data("rows.jsonl", "--out", "out", "--suite", "own.toml", "--decontaminate") == 1
    assert "there is no row to train on: all are also in a suite" in capsys.readouterr().err
