"""The backends without a network: oracle and scripts."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_coderobust.models.oracle import Oracle
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.models.scripted import WRONG, Scripted, canonical_share
from pytest_coderobust.records import Cell, Row, Sampling, Task, Tests, Variant

GOOD = "    return 1\n"


def rows(count: int, canonical: str | None = GOOD) -> list[Row]:
    tests = Tests("", "asserts")
    tasks = [Task(f"T/{index}", "def f():\n", "f", tests, canonical) for index in range(count)]
    return [Row(Variant(task, Cell("C1", 2), task.prompt), 0, 0) for task in tasks]


def test_oracle_answers_with_the_canonical_solution() -> None:
    assert [answer.text for answer in Oracle().generate(rows(2), Sampling())] == [GOOD, GOOD]


def test_oracle_has_nothing_to_say_without_one() -> None:
    (row,) = rows(1, canonical=None)
    assert Oracle().unavailable(row.variant, Sampling()) == "no canonical solution"
    assert Oracle().unavailable(rows(1)[0].variant, Sampling()) == ""


def test_a_function_answers_each_row() -> None:
    model = Scripted(lambda row: row.variant.task.id)
    assert [answer.text for answer in model.generate(rows(2), Sampling())] == ["T/0", "T/1"]


def test_a_mapping_answers_the_cell_before_the_task() -> None:
    model = Scripted({"T/0": "any", "T/0[C1-s2]": "this", "T/1": "other"})
    assert [answer.text for answer in model.generate(rows(2), Sampling())] == ["this", "other"]
    assert model.unavailable(rows(3)[2].variant, Sampling()) == "not scripted"


def test_another_script_is_another_model() -> None:
    assert Scripted({"T": "a"}).identity.digest != Scripted({"T": "b"}).identity.digest


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_a_share_of_the_rows_is_solved(share: float) -> None:
    found = canonical_share(share).generate(rows(2000), Sampling())
    solved = sum(answer.text == GOOD for answer in found)
    assert abs(solved / 2000 - share) < 0.03
    assert {answer.text for answer in found} <= {GOOD, WRONG}


def test_which_rows_are_solved_is_the_same_in_every_process() -> None:
    program = (
        "from test_models_scripted import *\n"
        "model = open_backend('scripted:canonical@0.5')\n"
        "print([a.text == GOOD for a in model.generate(rows(60), Sampling())])"
    )
    path = [*sys.path]
    printed = {
        subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path[:] = {path!r}\n{program}"],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    here = open_backend("scripted:canonical@0.5").generate(rows(60), Sampling())
    assert printed == {f"{[answer.text == GOOD for answer in here]}\n"}


def test_a_task_without_canonical_solution_is_never_solved() -> None:
    (answer,) = canonical_share(1.0).generate(rows(1, canonical=None), Sampling())
    assert answer.text == WRONG
