"""The registry of task shapes: ours, those of installed packages, and what the docs list."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from support.packages import install
from support.tasks_files import ADD, one

from pytest_coderobust.errors import DataError, UnknownName, UsageError
from pytest_coderobust.tasks.load import load_tasks
from pytest_coderobust.tasks.shapes import SHAPES

PAGE = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text(encoding="utf-8")
POINTS = "[coderobust.shapes]\nquiz = {module}:SHAPE\n"
SOURCE = """
from pytest_coderobust.records import Task, Tests
from pytest_coderobust.tasks.shapes import Shape

def read(row, form):
    prompt = f"def {row.text('name')}(a):\\n    \\"\\"\\"{row.text('riddle')}\\"\\"\\"\\n"
    tests = Tests(f"assert {row.text('name')}(1) == 2\\n", "asserts")
    return Task(id="Quiz/1", prompt=prompt, entry_point=row.text("name"), tests=tests)

SHAPE = Shape("quiz", frozenset({"riddle", "name"}), read, lambda row: row.optional_text("why") or "")
"""
RIDDLE = {"riddle": "Add one.", "name": "inc"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def write(folder: Path, *rows: dict[str, object]) -> str:
    (folder / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return "own.jsonl"


def test_the_docs_list_every_shape_with_its_keys_in_order() -> None:
    table = PAGE.partition("| `format` | keys |\n|---|---|\n")[2].partition("\n\n")[0]
    listed = [re.findall(r"`\"?([\w-]+)\"?`", line) for line in table.splitlines()]
    assert [(name, frozenset(keys)) for name, *keys in listed] == [
        (shape.name, shape.keys) for shape in SHAPES
    ]


def test_a_package_brings_a_shape_that_keys_and_format_find(site: Path, tmp_path: Path) -> None:
    install(site, "quiz-package", SOURCE, POINTS.format(module="quiz_package"))
    left = {**RIDDLE, "why": "too easy"}
    source = write(tmp_path, RIDDLE, left, ADD)
    found = load_tasks(source, base=tmp_path)
    assert [(task.id, task.entry_point) for task in found.tasks] == [
        ("Quiz/1", "inc"),
        (ADD["task_id"], ADD["entry_point"]),
    ]
    assert found.notes == ("own: 1 tasks left out: too easy",)
    asked = load_tasks(write(tmp_path, RIDDLE), base=tmp_path, fmt="quiz")
    assert [task.id for task in asked.tasks] == ["Quiz/1"]
    with pytest.raises(UnknownName, match="unknown task format 'quizz'; did you mean 'quiz'"):
        load_tasks(source, base=tmp_path, fmt="quizz")


def test_without_the_package_such_a_row_is_reported_as_before(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 1: the key 'prompt' is missing"):
        load_tasks(write(tmp_path, RIDDLE), base=tmp_path)


def test_a_known_row_is_read_without_any_package(site: Path, tmp_path: Path) -> None:
    install(site, "noisy-package", "raise RuntimeError('x')", POINTS.format(module="noisy_package"))
    row = {**ADD, **RIDDLE}
    assert [t.id for t in load_tasks(write(tmp_path, row), base=tmp_path).tasks] == [ADD["task_id"]]
    assert "noisy_package" not in sys.modules
    with pytest.raises(UsageError, match=r"of the package noisy-package .* RuntimeError: x$"):
        load_tasks(write(tmp_path, RIDDLE), base=tmp_path)


def test_a_shape_with_a_name_of_ours_is_one_sentence(site: Path, tmp_path: Path) -> None:
    points = "[coderobust.shapes]\nmbpp = clash_package:SHAPE\n"
    install(site, "clash-package", SOURCE, points)
    with pytest.raises(UsageError, match="'mbpp' is used by both pytest-coderobust and clash-"):
        load_tasks(write(tmp_path, ADD), base=tmp_path, fmt="mbpp")


def test_a_shape_is_called_as_its_entry_point(site: Path, tmp_path: Path) -> None:
    points = "[coderobust.shapes]\nriddles = named_package:SHAPE\n"
    install(site, "named-package", SOURCE, points)
    with pytest.raises(UsageError, match="'riddles' is called 'quiz'; both names must be the same"):
        load_tasks(write(tmp_path, RIDDLE), base=tmp_path, fmt="riddles")


def test_a_row_may_bring_the_helpers_of_its_tests(tmp_path: Path) -> None:
    row = {**ADD, "test": "def check(c):\n    assert c(1, 2) == three()\n"}
    assert one(tmp_path, row).tests.helpers == ""
    helped = one(tmp_path, {**row, "helpers": "def three():\n    return 3\n"})
    assert helped.tests.helpers == "def three():\n    return 3\n"
