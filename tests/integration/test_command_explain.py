"""`coderobust explain`: one item's story, which run it is from, and how to name another."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import TASKS, WRONG, Project
from rich.cells import cell_len

from pytest_coderobust import Scripted, run
from pytest_coderobust.cli import main

LONG = "    value = value + 0  # " + "na " * 40 + "\n"
HOSTILE = LONG + "    return '\x1b]0;x\x07" + "漢" * 60 + "'\n"

Told = Callable[..., "tuple[int, str, str]"]
"""Runs the command in the folder of all runs; returns its status, what it printed, and its error."""


def solve_but(broken: str, name: str, wrong: str = WRONG) -> Scripted:
    """A model that breaks on the C1 variants of one task."""
    return Scripted(
        lambda row: (
            wrong
            if row.variant.task.id == broken and row.variant.cell.perturbation == "C1"
            else str(row.variant.task.canonical)
        ),
        name=name,
    )


def read_command(text: str) -> list[str]:
    """The words of the command at a story's end, as a shell reads them."""
    return shlex.split(text.partition("run it again\n")[2].replace("\\\n", " "))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose ledger has three runs of one suite, and one of each of two others."""
    place = tmp_path_factory.mktemp("runs")
    (place / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in TASKS))
    recorded = {"task_id": "Toy/1", "perturbation": "clean", "completion": WRONG}
    (place / "answers.jsonl").write_text(json.dumps(recorded) + "\n")
    for name in ("toy", "hostile", "part"):
        text = '[suite]\ntasks = "tasks.jsonl"\nperturbations = ["C1", "C2"]\n'
        (place / f"{name}.toml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for suite, model, chosen in (
            ("toy", solve_but("Toy/2", "first"), {}),
            ("toy", solve_but("Toy/3", "second"), {}),
            ("toy", solve_but("Toy/3", "third"), {"perturb": "W2"}),
            ("hostile", solve_but("Toy/0", "\x1b[2J hostile", HOSTILE), {"perturb": "C1"}),
            ("part", "replay:answers.jsonl", {"limit": 2}),
        ):
            run(f"{suite}.toml", model, sandbox_workers=1, **chosen)  # type: ignore[arg-type]
    return place


@pytest.fixture
def told(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")

    def explain(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["explain", *words])
        return status, *capsys.readouterr()

    return explain


def list_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """The digest of each model's run, as `coderobust report --list` shows it."""
    main(["report", "--list"])
    return {line.split()[2]: line.split()[0] for line in capsys.readouterr().out.splitlines()}


def test_a_story_has_prompts_difference_answers_assert_and_command(
    told: Told, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = list_runs(folder, capsys)["first"]
    status, text, error = told("toy.toml::Toy/2[C1-s0]", "--run", first)
    assert (status, error) == (0, "")
    assert text.startswith("Toy/2[C1-s0]: broken\npassing  clean 1 of 1, C1-s0 0 of 1\n")
    clean, _, rest = text.partition("\nprompt under C1-s0\n")
    perturbed, _, rest = rest.partition("\ndifference\n")
    difference, _, rest = rest.partition("\nanswer to the clean prompt: passes 3 of 3 tests\n")
    good, _, rest = rest.partition("\nanswer under C1-s0: wrong-answer, 0 of 3 tests pass\n")
    bad, _, rest = rest.partition("\nfailing test\n")
    prose = '    """Return the product of the given number with itself."""'
    assert prose in clean
    assert prose not in perturbed
    assert f"    -{prose}" in difference
    assert '    +    """' in difference
    assert "return value * value" in good
    assert "return None" in bad
    assert "square(3) returned None" in rest
    words = read_command(rest)
    assert words[:2] == ["pytest", "toy.toml::Toy/2[C1-s0]"]
    assert words[-2:] == ["--coderobust-strict", "--coderobust-no-gates"]


def test_without_a_condition_the_broken_one_is_taken_and_the_others_named(told: Told) -> None:
    _, text, _ = told("hostile::Toy/0")
    assert text.startswith("Toy/0[C1-s0]: broken\n")
    assert "also     clean solved: name one in brackets\n" in text
    _, text, _ = told("Toy/0[clean]", "--suite", "hostile")
    assert text.startswith("Toy/0[clean]: solved\npassing  clean 1 of 1\n")
    assert "difference" not in text
    assert "failing test" not in text
    assert "\nanswer: passes 3 of 3 tests\n" in text


def test_of_several_runs_the_latest_is_taken_and_the_others_can_be_named(told: Told) -> None:
    _, text, _ = told("toy.toml::Toy/2[C1-s0]")
    assert text.startswith("Toy/2[C1-s0]: robust\n")
    assert "model    second" in text
    assert "the latest of 2 that have this item" in text
    other = text.partition("name another with --run:\n")[2].split()[0]
    _, text, _ = told("Toy/2[C1-s0]", "--run", other)
    assert text.startswith("Toy/2[C1-s0]: broken\n")
    assert "model    first" in text
    assert "the latest of" not in text
    _, text, _ = told("Toy/2", "--suite", "toy")
    assert "model    third" in text
    assert "the latest of 3" in text


def test_no_line_is_wider_than_80_columns_and_nothing_moves_the_cursor(told: Told) -> None:
    _, text, _ = told("hostile.toml::Toy/0[C1-s0]")
    assert "\x1b" not in text
    assert "\\x1b[2J hostile" in text
    assert {line for line in text.splitlines() if cell_len(line) > 80} == set()
    joined = "".join(
        line[4:] if line.startswith("  > ") else line.lstrip() for line in text.splitlines()
    )
    assert "漢" * 60 in joined, "nothing of a long line is lost"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["Toy/22"], "'Toy/22' is no item of ledger.sqlite; nearest: Toy/2"),
        (["Toy/2[C1-s1]"], "'Toy/2[C1-s1]' is no item of ledger.sqlite; nearest: Toy/2["),
        (["tony.toml::Toy/2"], "of the suite 'tony.toml'; there are toy.toml, hostile.toml"),
        (["Toy/2", "--suite", "toi"], "did you mean 'toy'"),
        (["Toy/2", "--run", "zz"], "--run 'zz' fits no run of this ledger"),
        (["Toy/2", "--ledger", "no.sqlite"], "no.sqlite is not a valid ledger"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused_with_the_nearest_names(
    told: Told, words: list[str], message: str
) -> None:
    status, text, error = told(*words)
    assert (status, text) == (4, "")
    assert message in error
    assert len(error.splitlines()) == 1


def test_a_hostile_suite_moves_no_cursor(
    folder: Path,
    told: Told,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = "a\x1b[2J b.toml"
    (tmp_path / "tasks.jsonl").write_text((folder / "tasks.jsonl").read_text())
    (tmp_path / name).write_text('[suite]\ntasks = "tasks.jsonl"\nperturbations = ["C1"]\n')
    monkeypatch.chdir(tmp_path)
    run(name, solve_but("Toy/1", "m"), limit=2, sandbox_workers=1)
    status, text, _ = told("Toy/1")
    assert status == 0
    assert text.replace("\n", "").isprintable()
    assert r"pytest $'a\033[2J b.toml::Toy/1[C1-s0]'" in text
    for words in (["tony.toml::Toy/1"], ["Toy/1", "--suite", "a"]):
        status, _, error = told(*words)
        assert status == 4
        assert error.rstrip("\n").isprintable()
        assert r"'a\x1b[2J b" in error
    assert main(["history", "--suite", "a"]) == 4
    assert capsys.readouterr().err.rstrip("\n").isprintable()


def test_a_skipped_item_says_why(told: Told) -> None:
    _, text, _ = told("part.toml::Toy/1[C1-s0]")
    assert text.startswith("Toy/1[C1-s0]: skipped\nreason   not recorded\n")
    assert "answer under C1-s0: none" in text


def test_the_command_shows_the_same_finding(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write_suite('perturbations = ["C1"]')
    project.run("toy.toml", "--model", project.record(broken=[4]))
    monkeypatch.chdir(project.path)
    assert main(["explain", "Toy/4"]) == 0
    words = read_command(capsys.readouterr().out)
    project.run(*words[1:]).stdout.fnmatch_lines(
        ["*Toy/4 is solved clean (1 of 1) and broken under C1-s0*"]
    )
