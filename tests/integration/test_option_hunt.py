"""`--coderobust-hunt` and `--coderobust-budget`: the smallest breaking prompts, kept and replayed."""

from __future__ import annotations

import json
import shlex

import pytest
from conftest import Project

SUITE = """[suite]
tasks = "quickstart"
perturbations = ["mix_all"]
limit = 2
[sampling]
max_new_tokens = 96
"""


def write(project: Project, text: str = SUITE) -> None:
    (project.path / "few.toml").write_text(text)


def records(project: Project) -> list[dict[str, object]]:
    folder = project.path / ".coderobust" / "failures"
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def test_a_hunt_finds_keeps_shows_and_replays(project: Project) -> None:
    write(project)
    first = project.run("few.toml", "--model", "tiny", "--hunt", "--budget", "30m")
    first.stdout.fnmatch_lines(
        [
            "hunt  few.toml: * of * solved tasks broken by mix_all",
            "*completions asked for",
            "      threads: * (*)",
            "*: broken by * edit*",
            "*{+*+}*",
            "  before: *tests pass",
            "  after: *tests pass*",
            "  reproduce: pytest *few.toml::quickstart/* --coderobust-hunt *",
            "  kept in .coderobust/failures/quickstart-*.json",
        ]
    )
    assert first.ret == 0
    found = records(project)
    assert found
    assert all(record["minimal"] and record["state"] == "broken" for record in found)

    # A fresh process without the ledger: what is kept is replayed first, and is still broken;
    # a record whose prompt the model solves is fixed.
    (project.path / ".coderobust" / "ledger.sqlite").unlink()
    solved = {**found[0], "edits": [], "broken": found[0]["clean"]}
    (project.path / ".coderobust" / "failures" / "solved.json").write_text(json.dumps(solved))
    again = project.run(*shlex.split(str(found[0]["reproduce"]))[1:])
    again.stdout.fnmatch_lines(
        ["*replayed 2 known failures: 1 still broken, 1 fixed", f"fixed {found[0]['task']}: *"]
    )
    after = records(project)
    same = next(each for each in after if each["id"] == found[0]["id"])
    assert same["edits"] == found[0]["edits"]
    assert sum(each["state"] == "fixed" for each in after) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "oracle", "--hunt"), "model 'oracle' answers by task and perturbation"),
        (("--model", "tiny", "--hunt", "--budget", "soon"), "budget 'soon' must be a time"),
    ],
)
def test_what_cannot_be_hunted_is_refused_before_anything_runs(
    project: Project, arguments: tuple[str, ...], message: str
) -> None:
    write(project)
    result = project.run("few.toml", *arguments)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*{message}*"])
    assert not (project.path / ".coderobust").exists()


def test_somebody_elses_short_names_stay_theirs(project: Project) -> None:
    write(project)
    project.pytester.makeconftest(
        "def pytest_addoption(parser):\n"
        "    parser.addoption('--hunt', action='store_true')\n"
        "    parser.addoption('--budget')\n"
        "def pytest_configure(config):\n"
        "    assert config.option.hunt and config.option.budget == 'mine'\n"
    )
    result = project.run("--hunt", "--budget=mine", "--co", "-q", "--model", "oracle", "few.toml")
    assert result.ret == 0
