"""APPS's rows on files that the tests write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_coderobust import ForeignSample, check
from pytest_coderobust.errors import DataError
from pytest_coderobust.models.extraction.solution import extract
from pytest_coderobust.records import Task
from pytest_coderobust.tasks.load import TaskSet, load_tasks

QUESTION = 'Print the sum of two numbers.\n\n-----Input-----\n\nTwo integers, "a" and \\b.\n'
GOLD = "a, b = map(int, input().split())\nprint(a + b)\n"
ROW: dict[str, object] = {
    "problem_id": 7,
    "question": QUESTION,
    "solutions": json.dumps(["print 1", GOLD]),
    "input_output": json.dumps({"inputs": ["1 2\n", ["3", "4"]], "outputs": ["3\n", ["7"]]}),
    "difficulty": "interview",
    "starter_code": "",
}


def read(folder: Path, *rows: Mapping[str, object]) -> TaskSet:
    (folder / "apps.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return load_tasks("apps.jsonl", base=folder)


def task(folder: Path, **change: object) -> Task:
    return read(folder, {**ROW, **change}).tasks[0]


def test_a_row_becomes_a_program_to_write(tmp_path: Path) -> None:
    found = task(tmp_path)
    assert (found.id, found.tests.style, found.tags) == ("APPS/7", "stdio", ("interview",))
    assert found.prompt.startswith('r"""Print the sum of two numbers.\n')
    assert "standard input" in found.prompt
    assert found.canonical == GOLD  # the first that is Python 3
    assert json.loads(found.tests.source) == {"inputs": ["1 2\n", "3\n4"], "outputs": ["3\n", "7"]}
    compile(found.prompt + GOLD, "x", "exec")


def test_other_names_of_the_id_and_no_solution(tmp_path: Path) -> None:
    assert task(tmp_path, problem_id=None, id="12").id == "APPS/12"
    assert task(tmp_path, task_id="own/1").id == "own/1"
    assert task(tmp_path, solutions="").canonical is None
    assert task(tmp_path, solutions="[]", difficulty=None).tags == ()


def test_what_cannot_be_judged_is_left_out_and_said(tmp_path: Path) -> None:
    called = json.dumps({"fn_name": "f", "inputs": [[1]], "outputs": [2]})
    found = read(
        tmp_path,
        ROW,
        {**ROW, "problem_id": 8, "input_output": called},
        {**ROW, "problem_id": 9, "input_output": ""},
        {**ROW, "problem_id": 10, "input_output": '{"inputs": [], "outputs": []}'},
    )
    assert [each.id for each in found.tasks] == ["APPS/7"]
    assert found.notes == (
        "apps: 1 tasks left out: calls of a function (fn_name)",
        "apps: 2 tasks left out: no tests",
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_output": "{"}, "'input_output' is not valid JSON"),
        ({"input_output": "[1]"}, "'input_output' must be an object"),
        ({"input_output": {"inputs": ["1"]}}, "'outputs' in 'input_output' must be a list"),
        ({"input_output": {"inputs": [1], "outputs": ["1"]}}, "must hold texts"),
        ({"input_output": {"inputs": ["1"], "outputs": []}}, "1 inputs and 0 outputs"),
        ({"solutions": "["}, "'solutions' is not valid JSON"),
        ({"problem_id": None}, "the key 'task_id' is missing"),
    ],
)
def test_a_bad_row_is_one_sentence(
    tmp_path: Path, change: Mapping[str, object], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        task(tmp_path, **change)
    assert str(caught.value).startswith("apps.jsonl, line 1: ")
    assert message in str(caught.value)


def test_chat_around_a_program_is_stripped(tmp_path: Path) -> None:
    found = task(tmp_path)
    chat = f"Sure:\n```python\n{GOLD}```\nIt adds.\n"
    assert extract(chat, found) == found.prompt + GOLD
    assert extract(GOLD, found) == extract(GOLD, found, "raw") == found.prompt + GOLD


def test_samples_are_judged_case_by_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(tmp_path, ROW)
    monkeypatch.chdir(tmp_path)
    three = ForeignSample("APPS/7", "print(3)\n")
    gold = ForeignSample("APPS/7", GOLD.replace("input()", "open(0).read()"), whole=True)
    right, wrong = check([gold, three], "apps.jsonl", workers=1)
    assert (right.full, right.passed, right.total) == (True, 2, 2)
    assert (wrong.full, wrong.passed, wrong.detail) == (False, 1, "printed '3'")


PROGRAM: dict[str, object] = {
    "task_id": "P/1",
    "prompt": '"""Add."""\n',
    "canonical_solution": GOLD,
    "input_output": {"inputs": ["1 2\n"], "outputs": ["3\n"]},
    "tags": ["sum"],
}


def test_a_program_may_have_a_prompt_of_its_own(tmp_path: Path) -> None:
    (found,) = read(tmp_path, PROGRAM).tasks
    assert (found.id, found.prompt, found.canonical) == ("P/1", '"""Add."""\n', GOLD)
    assert (found.tests.style, found.tags, found.entry_point) == ("stdio", ("sum",), "")
    assert check([ForeignSample("P/1", GOLD)], str(tmp_path / "apps.jsonl"))[0].full
    with pytest.raises(DataError, match="line 1: there are 1 inputs and 0 outputs"):
        read(tmp_path, {**PROGRAM, "input_output": {"inputs": ["1"], "outputs": []}})
