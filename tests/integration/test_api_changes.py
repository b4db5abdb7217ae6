"""Declared API changes from the suite file to the report, on the bundled suite's library calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest
from conftest import Project

import pytest_coderobust
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.results.conclusion import read_conclusions

PACKAGE = Path(pytest_coderobust.__file__).parent
CHANGES = """api_changes = [
  { old = "math.sqrt", new = "math.square_root", tag = "api:math.sqrt" },
  { old = "os.path.join", new = "os.path.joined", tag = "api:os.path.join" },
]
"""
OLD = {"api:math.sqrt": "math.sqrt", "api:os.path.join": "os.path.join"}
NEW = {"api:math.sqrt": "math.square_root", "api:os.path.join": "os.path.joined"}


def calling_tasks() -> list[dict[str, object]]:
    lines = (PACKAGE / "tiny" / "quickstart.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [row for row in rows if set(row["tags"]) & set(OLD)]


def renamed(row: Mapping[str, object]) -> str:
    """The canonical solution with the new name."""
    solution = str(row["canonical_solution"])
    for tag, old in OLD.items():
        solution = solution.replace(old, NEW[tag])
    return solution


def test_the_four_on_the_bundled_suite(project: Project) -> None:
    rows = calling_tasks()
    assert len(rows) == 4
    project.write_tasks(rows)
    project.write_suite(CHANGES + 'perturbations = ["C1"]')
    root, other_root, join, other_join = rows
    answers = {
        ("clean", 0): renamed(root),  # correct
        ("clean", 1): renamed(other_root) + "    # nothing more\n",  # correct
        ("clean", 2): str(join["canonical_solution"]),  # none: the old name
        ("clean", 3): renamed(other_join).replace("return", "return 'x' +"),  # incorrect
        ("C1", 0): "    return number ** 0.5\n",  # workaround
        ("C1", 1): str(other_root["canonical_solution"]),  # none
        ("C1", 2): renamed(join),  # correct
        ("C1", 3): renamed(other_join),  # correct
    }
    model = project.write_replay(
        {(str(rows[at]["task_id"]), cell, 0): text for (cell, at), text in answers.items()}
    )
    result = project.run("toy.toml", "--model", model, "--coderobust-json", "out.json")
    result.stdout.fnmatch_lines([
        "api   math.sqrt -> math.square_root",
        "      os.path.join -> os.path.joined",
        "adoption  correct  incorrect  workaround  none  stale",
            "*",
        "clean           2          1           0     1      1",
        "C1              2          0           1     1      1",
        "stages  does not parse  does not load  misses a name  is wrong  passes",
            "*",
        "clean                0              0              1         1       2",
        "C1                   0              0              1         0       3",
        # The correct ones do not run in the old world, so the stale one alone used what was there.
        "eligible   tasks  correct  incorrect  workaround  stale  other  lost",
            "*",
        "clean     1 of 4        0          0           0      1      0     1",
    ])  # fmt: skip
    found = project.json()
    schema = json.loads(
        (PACKAGE / "reporting" / "json" / "schema.json").read_text(encoding="utf-8")
    )
    jsonschema.validate(found, schema)
    assert found["adoption"] == {
        "changes": [
            {"old": "math.sqrt", "new": "math.square_root"},
            {"old": "os.path.join", "new": "os.path.joined"},
        ],
        "conditions": {
            "clean": {
                "correct": 2, "incorrect": 1, "workaround": 0, "none": 1, "stale": 1,
                "stages": {"n": 4, "parses": 4, "loads": 4, "resolves": 3, "passes": 2},
            },
            "C1": {
                "correct": 2, "incorrect": 0, "workaround": 1, "none": 1, "stale": 1,
                "stages": {"n": 4, "parses": 4, "loads": 4, "resolves": 3, "passes": 3},
            },
        },
        "eligible": {
            "tasks": 4, "eligible": 1, "correct": 0, "incorrect": 0, "workaround": 0, "stale": 1,
            "other": 0, "lost": 1,
        },
    }  # fmt: skip
    # Later reports of the same run know as much.
    (stored,) = read_conclusions(Ledger(project.path / ".coderobust" / "ledger.sqlite"))
    summary = stored.report().summary
    assert summary.eligible is not None
    assert (summary.eligible.eligible, summary.eligible.lost) == (1, 1)
    # The canonical solutions use the old names, and are no worse as oracles for it.
    assert found["totals"]["unusable"] == []


def test_a_task_declares_its_own(project: Project) -> None:
    rows = calling_tasks()[:2]
    rows[0]["api_changes"] = [{"old": "math.sqrt", "new": "math.square_root"}]
    project.write_tasks(rows)
    project.write_suite()
    model = project.write_replay({
        (str(row["task_id"]), "clean", 0): str(row["canonical_solution"]) for row in rows
    })  # fmt: skip
    project.run("toy.toml", "--model", model, "--coderobust-json", "out.json")
    found = project.json()
    assert [item["status"] for item in found["items"]] == ["unsolved", "solved"]
    assert [item.get("adoptions") for item in found["items"]] == [["none"], None]
    assert [item.get("stages") for item in found["items"]] == [[2], None]


def test_a_change_of_the_declaration_judges_again(project: Project) -> None:
    rows = calling_tasks()[:1]
    project.write_tasks(rows)
    model = project.write_replay({(str(rows[0]["task_id"]), "clean", 0): renamed(rows[0])})
    statuses = []
    for new in ("math.square_root", "math.root_of"):
        project.write_suite(f'api_changes = [{{ old = "math.sqrt", new = "{new}" }}]')
        project.run("toy.toml", "--model", model, "--coderobust-json", "out.json")
        statuses.append(project.json()["items"][0]["adoptions"])
    assert statuses == [["correct"], ["none"]]


def test_a_suite_without_changes_says_nothing(project: Project) -> None:
    project.write_suite()
    result = project.run("toy.toml", "--model", "oracle", "--coderobust-json", "out.json")
    result.stdout.no_fnmatch_line("*adoption*")
    result.stdout.no_fnmatch_line("*misses a name*")
    result.stdout.no_fnmatch_line("*eligible*")
    assert "adoption" not in project.json()


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        (
            '[{ old = "str.format", new = "str.form" }]',
            "*'str.format' is a method of the type 'str'*",
        ),
        ('[{ old = "math.sqrt", tag = "api:math.sqt" }]', "*no task has the tag 'api:math.sqt'*"),
        (
            '[{ old = "math.sqrt" }, { old = "math.sqrt", new = "math.root" }]',
            "*'math.sqrt' is in two places*",
        ),
    ],
)
def test_a_wrong_declaration_is_refused_with_a_sentence(
    project: Project, declared: str, sentence: str
) -> None:
    project.write_tasks(calling_tasks())
    project.write_suite(f"api_changes = {declared}")
    result = project.run("toy.toml", "--model", "oracle")
    result.stdout.fnmatch_lines([sentence])
    result.stdout.no_fnmatch_line("*Traceback*")
    assert result.ret == 2
