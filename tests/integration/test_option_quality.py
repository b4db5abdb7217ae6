"""`--quality`: solutions of a session judged by a linter, in a real run."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from conftest import Project

UNTIDY = "    Result = {body}\n    return Result\n"
BROKEN = "    return (\n"


def record(project: Project) -> str:
    """Clean answers are tidy; perturbed ones are untidy, one is no Python, one fails."""
    answers: dict[tuple[str, str, int], str | list[str]] = {}
    for index, row in enumerate(project.tasks):
        task, good = str(row["task_id"]), project.canonical(index)
        answers[task, "clean", 0] = good
        body = good.strip().removeprefix("return ")
        answers[task, "C1", 0] = UNTIDY.format(body=body)
    answers["Toy/0", "C1", 0] = "    return None\n"
    answers["Toy/1", "C1", 0] = BROKEN
    return project.write_replay(answers)


def read(project: Project) -> dict[str, Any]:
    found: Any = project.json()["quality"]
    assert isinstance(found, dict)
    return found


def test_quality_is_judged_kept_and_shown(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]\nextraction = "raw"')
    words = ["toy.toml", "--model", record(project), "--coderobust-json=out.json"]
    before = project.run(*words)
    assert "quality by" not in before.stdout.str()
    assert "quality" not in project.json()

    result = project.run(*words, "--quality")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["quality by pylint *", "parses: per 100 lines *", "note *"])
    found = read(project)
    clean, c1 = found["conditions"]["clean"], found["conditions"]["C1"]
    assert (clean["judged"], clean["syntax_errors"]) == (6, 0)
    assert clean["parsing"]["lines"] == 6
    assert clean["parsing"]["rates"]["convention"]["value"] == 0
    assert (c1["judged"], c1["syntax_errors"]) == (6, 1)
    assert (c1["parsing"]["solutions"], c1["passing"]["solutions"]) == (5, 4)
    assert c1["passing"]["rates"]["convention"]["value"] == 50.0  # C0103 in one line of two
    assert c1["passing"]["top"] == [{"code": "C0103", "name": "invalid-name", "count": 4}]
    assert c1["paired"]["tasks"] == 4
    assert c1["paired"]["changes"]["convention"]["change"]["value"] == 50.0

    ledger = sqlite3.connect(project.path / ".coderobust" / "ledger.sqlite")
    kept = ledger.execute("SELECT count(*) FROM lints").fetchone()
    assert kept == (12,)
    project.run(*words, "--quality-paper")
    paper = read(project)
    assert paper["paper"] is True
    assert paper["conditions"]["clean"]["parsing"]["lines"] == 18
    assert paper["conditions"]["clean"]["parsing"]["top"][0]["code"] == "C0114"
    assert ledger.execute("SELECT count(*) FROM lints").fetchone() == kept
    ledger.close()


def test_ruff_is_the_quick_variant_under_its_own_name_and_gates_may_ask_for_it(
    project: Project,
) -> None:
    gates = ["syntax_error_share <= 0.02", "syntax_error_share[C1] <= 0.1"]
    project.write_suite(f'perturbations = ["C1"]\nextraction = "raw"\ngates = {gates}')
    words = ["toy.toml", "--model", record(project), "--coderobust-json=out.json"]
    result = project.run(*words, "--coderobust-quality=ruff")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["quality by ruff *", "parses: per 100 lines *message*"])
    found = read(project)["conditions"]["C1"]
    assert found["syntax_errors"] == 1
    assert "N806" in [each["code"] for each in found["passing"]["top"]]
    judged: Any = project.json()["gates"]
    assert [(each["outcome"], each["value"]) for each in judged] == [
        ("holds", 0.0),
        ("fails", pytest.approx(1 / 6)),
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--quality=flake8"], "*'flake8' must be one of pylint, ruff*"),
        (["--quality=ruff", "--quality-paper"], "*--quality-paper is pylint's*leave one out*"),
    ],
)
def test_impossible_choices_are_refused(project: Project, words: list[str], told: str) -> None:
    project.write_suite('perturbations = ["C1"]')
    result = project.run("toy.toml", "--model=oracle", *words)
    assert result.ret != 0
    (result.stderr if result.errlines else result.stdout).fnmatch_lines([told])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
