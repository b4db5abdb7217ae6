"""Shards on several machines, merged: the same reports and decisions as one run."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import scipy.stats  # noqa: F401  pytester forgets what a test imports, and NumPy loads once
from conftest import Project

from pytest_coderobust.cli import main

GATES = 'window = 2\nperturbations = ["C1", "W2"]\ngates = ["pass@1 >= 0.5", "rd[C1] <= 0.1"]'
COUNT = 3


def run_shard(project: Project, index: int, *more: str) -> pytest.RunResult:
    return project.run(
        "toy.toml",
        "--model=replay:answers.jsonl",
        f"--coderobust-shard={index}/{COUNT}",
        f"--coderobust-ledger=shard{index}.sqlite",
        *more,
    )


def ledgers(project: Project, *indexes: int) -> list[str]:
    return [str(project.path / f"shard{index}.sqlite") for index in indexes]


def gate(project: Project, *more: str) -> int:
    suite = str(project.path / "toy.toml")
    return main(["gate", str(project.path / "all.sqlite"), "--suite", suite, *more])


@pytest.fixture
def all_ledger(project: Project) -> str:
    project.write_suite(GATES)
    project.record(broken=[2, 5], unsolved=[1], cells=("C1", "W2"))
    return str(project.path / "all.sqlite")


def test_merged_shards_are_one_run_byte_for_byte(
    project: Project, all_ledger: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for index in (1, 2, 3):
        done = run_shard(project, index)
        assert done.ret == 0  # a part decides nothing
        done.stdout.fnmatch_lines(["*gate not judged*pass@1*12 of 18 items not measured*"])
    formats = ("--coderobust-json=one.json", "--coderobust-html=one.html")
    whole = project.run("toy.toml", "--model=replay:answers.jsonl", *formats)
    assert whole.ret == 1  # rd[C1]

    assert main(["merge", all_ledger, *ledgers(project, 3, 1)]) == 0
    assert "(shard 2/3 is missing)" in capsys.readouterr().out
    assert gate(project) == 1
    assert "gate not judged" in capsys.readouterr().out

    assert main(["merge", all_ledger, *ledgers(project, 2, 3)]) == 0
    assert "18 items of 3 shards; whole" in capsys.readouterr().out
    written = [project.path / "all.json", project.path / "all.html"]
    assert gate(project, "--json", str(written[0]), "--html", str(written[1])) == 1
    for path in written:
        assert path.read_bytes() == path.with_stem("one").read_bytes()

    before = list_rows(Path(all_ledger))
    assert main(["merge", all_ledger, *ledgers(project, 1, 2, 3)]) == 0
    assert list_rows(Path(all_ledger)) == before
    project.write_suite(GATES.replace("0.1", "0.9"))
    capsys.readouterr()
    assert gate(project) == 0
    assert "gate holds" in capsys.readouterr().out
    for wrong, told in (
        ('"C1"]', "conditions"),
        ('"C1", "C2", "W2"]\nk = [1, 2]', "conditions, k"),
    ):
        sections = "[sampling]\nn = 2\ntemperature = 0.8" if "k" in wrong else ""
        project.write_suite(GATES.replace('"C1", "W2"]', wrong), sections=sections)
        assert gate(project) == 4
        assert f"{told.split(', ')[0]}" in capsys.readouterr().err


def list_rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(path)
    names = ("completions", "verdicts", "observations", "runs", "usage", "lints")
    return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}


def test_a_shard_that_did_not_end_is_told_and_runs_again(
    project: Project, all_ledger: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for index in (1, 2):
        run_shard(project, index)
    run_shard(project, 3, "-k", "clean")
    assert main(["merge", all_ledger, *ledgers(project, 1, 2, 3)]) == 0
    assert "(a shard did not end)" in capsys.readouterr().out
    run_shard(project, 3)
    assert main(["merge", all_ledger, *ledgers(project, 3)]) == 0
    assert "whole" in capsys.readouterr().out


def test_a_folder_of_ledgers_serves_the_next_release_too(
    project: Project, all_ledger: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for index in (1, 2, 3):
        run_shard(project, index)
    project.record(cells=("C1", "W2"))
    for index in (1, 2):
        run_shard(project, index)
    assert main(["merge", all_ledger, *ledgers(project, 1, 2, 3)]) == 4
    assert "are no shards of one run" in capsys.readouterr().err
    run_shard(project, 3)
    assert main(["merge", all_ledger, *ledgers(project, 1, 2, 3)]) == 0
    assert "18 items of 3 shards; whole" in capsys.readouterr().out
    assert gate(project) == 0  # that of the second model


def test_what_is_no_part_of_the_run_is_refused(
    project: Project, all_ledger: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run_shard(project, 1)
    project.record(broken=[0], cells=("C1", "W2"))
    run_shard(project, 2)
    assert main(["merge", all_ledger, *ledgers(project, 1, 2)]) == 4
    told = capsys.readouterr().err
    assert "are no shards of one run of toy: the model is" in told
    assert "shard1.sqlite (" in told
    assert "shard2.sqlite (" in told
    assert not Path(all_ledger).exists()

    foreign = project.path / "foreign.sqlite"
    foreign.write_text("not a ledger at all, whatever its name says")
    assert main(["merge", all_ledger, str(foreign)]) == 1
    assert "cannot be used as a ledger" in capsys.readouterr().err
    project.run("toy.toml", "--model=replay:answers.jsonl", "--coderobust-ledger=whole.sqlite")
    assert main(["merge", all_ledger, str(project.path / "whole.sqlite")]) == 4
    assert "holds no shard" in capsys.readouterr().err
    assert main(["merge", all_ledger, str(project.path / "none.sqlite")]) == 4
    assert "is not a valid ledger" in capsys.readouterr().err


def test_two_answers_under_one_key_are_named(
    project: Project, all_ledger: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for index in (1, 2):
        run_shard(project, index)
    copy = project.path / "shard9.sqlite"
    copy.write_bytes((project.path / "shard1.sqlite").read_bytes())
    connection = sqlite3.connect(copy)
    connection.execute("UPDATE completions SET finish = 'length'")
    connection.commit()
    connection.close()
    assert main(["merge", all_ledger, *ledgers(project, 1, 2, 9)]) == 1
    told = capsys.readouterr().err
    assert "shard9.sqlite has another row of completions under" in told


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--hunt"], "--hunt searches every solved task"),
        (["--coderobust-early"], "--coderobust-early settles gates on the whole"),
        (["--budget=9"], "--budget spends one purse"),
        (["--edit=ft"], "--edit makes a model"),
        (["--baseline=b.jsonl"], "`coderobust gate` takes it after the merge"),
        (["--coderobust-shard=4/3"], "must be a part and their number, such as 3/16"),
    ],
)
def test_choices_about_the_whole_are_refused(
    project: Project, all_ledger: str, more: list[str], told: str
) -> None:
    done = run_shard(project, 1, *more)
    assert done.ret == 4
    done.stderr.fnmatch_lines([f"*{told}*"])


def test_a_shard_without_a_window_says_how_to_get_one(project: Project, all_ledger: str) -> None:
    project.write_suite('perturbations = ["C1"]')
    told = [run_shard(project, index) for index in (1, 2, 3)]
    assert sorted(done.ret for done in told) == [0, 4, 4]
    idle = next(done for done in told if done.ret)
    idle.stderr.fnmatch_lines(["*has nothing to do: toy.toml has 6 tasks in 1 windows of 256*"])
    under_xdist = run_shard(project, 1 + told.index(idle), "-n", "1")
    assert under_xdist.ret == 4
    assert under_xdist.stderr.str() == idle.stderr.str()
    assert "INTERNALERROR" not in under_xdist.stdout.str()


@pytest.mark.parametrize("extra", ["early = true", 'gates = ["pass@1 >= 0"]\nearly = true'])
def test_a_suite_that_ends_early_has_no_shards(
    project: Project, all_ledger: str, extra: str
) -> None:
    project.write_suite(f"window = 2\n{extra}")
    done = run_shard(project, 1)
    assert done.ret != 0
    done.stdout.fnmatch_lines(["*early = true settles gates on the whole: leave one out*"])
