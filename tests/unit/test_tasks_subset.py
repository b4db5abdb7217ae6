"""A file of ids chooses tasks; a wrong one is refused with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_coderobust.config.suite import read_suite
from pytest_coderobust.engine.plan import read_plan
from pytest_coderobust.engine.samples import open_sample_suite
from pytest_coderobust.errors import DataError
from pytest_coderobust.tasks.load import load_tasks
from pytest_coderobust.tasks.subset import choose_tasks

ROWS = [
    {
        "task_id": f"Toy/{number}",
        "prompt": f'def f{number}(x):\n    """Return x."""\n',
        "entry_point": f"f{number}",
        "canonical_solution": "    return x\n",
        "test": "def check(candidate):\n    assert candidate(1) == 1\n",
    }
    for number in range(6)
]
NAMES = [str(row["task_id"]) for row in ROWS]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "toy.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return tmp_path


def write_suite(folder: Path, more: str = 'ids = "ids.txt"') -> Path:
    path = folder / "toy.toml"
    path.write_text(f'[suite]\ntasks = "toy.jsonl"\nperturbations = ["C1"]\n{more}\n')
    return path


def test_a_suite_takes_the_listed_tasks_and_names_the_file(folder: Path) -> None:
    (folder / "ids.txt").write_text("# the paper's\nToy/4\n\n  Toy/1\n")
    path = write_suite(folder)
    plan = read_plan(read_suite(path))
    assert list(plan.tasks) == ["Toy/1", "Toy/4"]
    assert "toy: 2 of 6 tasks, those of ids.txt" in plan.notes
    suite = open_sample_suite("toy.toml", folder)
    assert list(suite.tasks) == ["Toy/1", "Toy/4"]
    assert "toy: 2 of 6 tasks, those of ids.txt" in suite.notes


def test_other_tasks_are_another_plan_and_their_order_in_the_file_is_not(folder: Path) -> None:
    path = write_suite(folder)
    digests: list[str] = []
    for text in ("Toy/4\nToy/1\n", "Toy/1\nToy/4\n", "Toy/1\nToy/5\n"):
        (folder / "ids.txt").write_text(text)
        digests.append(read_plan(read_suite(path)).digest)
    assert digests[0] == digests[1] != digests[2]
    whole = read_plan(read_suite(write_suite(folder, "")))
    assert whole.digest not in digests
    assert not any("ids.txt" in note for note in whole.notes)


def test_limit_counts_within_the_listed_tasks(folder: Path) -> None:
    (folder / "ids.txt").write_text("Toy/2\nToy/3\nToy/5\n")
    path = write_suite(folder, 'ids = "ids.txt"\nlimit = 2')
    assert list(read_plan(read_suite(path)).tasks) == ["Toy/2", "Toy/3"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
def test_any_listed_ids_are_the_tasks_in_the_order_of_the_data(
    folder: Path, ids: list[str]
) -> None:
    file = folder / "ids.txt"
    file.write_text("\n".join(ids))
    found = choose_tasks(load_tasks("toy.jsonl", base=folder), file)
    assert [task.id for task in found.tasks] == sorted(ids)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "ids.txt: there is no such file of ids"),
        (b"# nothing\n\n", "ids.txt: the file lists no ids"),
        (b"Toy/1\nToy/9\n", "ids.txt, line 2: toy has no task 'Toy/9'; did you mean 'Toy/"),
        (b"Toy/1\n\nToy/1\n", "ids.txt, line 3: 'Toy/1' is line 1 already"),
        (b"\xff\xfe", "ids.txt: the file of ids cannot be read"),
    ],
)
def test_a_wrong_list_is_refused_in_one_sentence(
    folder: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (folder / "ids.txt").write_bytes(content)
    with pytest.raises(DataError) as error:
        read_plan(read_suite(write_suite(folder)))
    assert message in str(error.value)
    assert "(valid:" not in str(error.value)
