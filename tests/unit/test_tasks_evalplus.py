from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_coderobust.errors import DataError
from pytest_coderobust.records import PromptForm, Task
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.asserts import prepare
from pytest_coderobust.tasks.comparison import Comparison, same
from pytest_coderobust.tasks.load import load_tasks

FACTORIAL: dict[str, object] = {
    "task_id": "HumanEval/139",
    "prompt": 'def fact(n):\n    """Factorial."""\n',
    "contract": "    assert n >= 0\n",
    "entry_point": "fact",
    "canonical_solution": "    return 1 if n < 2 else n * fact(n - 1)\n",
    "base_input": [[0], [3]],
    "plus_input": [[5], [10], [1]],
    "atol": 0,
}
SHARED: dict[str, object] = {
    "task_id": "Mbpp/2",
    "prompt": '"""\nWrite a function to find the shared elements.\nassert set(similar_elements((3, 4), (4, 5))) == {4}\n"""\n',
    "entry_point": "similar_elements",
    "canonical_solution": "\nimport math\ndef similar_elements(a, b):\n  return tuple(set(a) & set(b))\n",
    "base_input": [[[3, 4], [4, 5]]],
    "plus_input": [[[1, 2, 3], [3, 2]], [[], []]],
    "atol": 0,
}  # fmt: skip


def read(folder: Path, row: Mapping[str, object], form: PromptForm = "docstring") -> Task:
    (folder / "plus.jsonl").write_text(json.dumps(row))
    return load_tasks("plus.jsonl", base=folder, form=form).tasks[0]


def failures(task: Task, candidate: Callable[..., Any]) -> list[int]:
    """The numbers of the inputs on which the candidate is wrong."""
    space: dict[str, Any] = {"__name__": "tests"}
    exec(task.tests.helpers, space)
    space[task.entry_point] = candidate
    comparison = space["COMPARISON"]
    total = task.tests.source.count("assert ")
    return [i for i in range(total) if not comparison.agrees(candidate, i)]


def always(value: object) -> Callable[..., Any]:
    return lambda *_: value


def test_every_input_is_one_test(tmp_path: Path) -> None:
    task = read(tmp_path, FACTORIAL)
    assert task.tests.style == "check"
    assert prepare(task.tests).total == 5
    assert failures(task, math.factorial) == []
    assert failures(task, lambda n: 6 if n == 3 else 1) == [2, 3]


def test_a_recursive_reference_calls_itself_and_not_the_candidate(tmp_path: Path) -> None:
    assert failures(read(tmp_path, FACTORIAL), always(1)) == [1, 2, 3]


def test_the_tests_run_as_a_check(tmp_path: Path) -> None:
    task = read(tmp_path, FACTORIAL)
    space: dict[str, Any] = {"__name__": "tests"}
    exec(task.tests.helpers, space)
    exec(task.tests.source, space)
    space["check"](math.factorial)
    with pytest.raises(AssertionError):
        space["check"](abs)


def test_a_candidate_cannot_change_what_the_reference_sees(tmp_path: Path) -> None:
    row = {
        **FACTORIAL,
        "canonical_solution": "    return len(n)\n",
        "base_input": [[[1, 2, 3]]],
        "plus_input": [],
    }

    def empties(n: list[int]) -> int:
        n.clear()
        return 0

    assert failures(read(tmp_path, row), empties) == [0]


def test_mbpp_takes_the_docstring_form(tmp_path: Path) -> None:
    task = read(tmp_path, SHARED)
    assert task.prompt == (
        'import math\n\n\ndef similar_elements(a, b):\n'
        '    """Write a function to find the shared elements.\n'
        '    assert set(similar_elements((3, 4), (4, 5))) == {4}\n    """\n'
    )  # fmt: skip
    assert task.canonical == "    return tuple(set(a) & set(b))\n"
    assert task.preamble == "import math\n\n\n"


def test_mbpp_keeps_its_plain_form(tmp_path: Path) -> None:
    task = read(tmp_path, SHARED, "plain")
    assert (task.prompt, task.canonical) == (SHARED["prompt"], SHARED["canonical_solution"])


def test_mbpps_arguments_get_their_types_back_and_sets_compare_as_sets(tmp_path: Path) -> None:
    seen: list[object] = []

    def candidate(a: object, b: object) -> list[object]:
        seen.append((a, b))
        return sorted(set(a) & set(b), reverse=True)  # type: ignore[call-overload, no-any-return]

    assert failures(read(tmp_path, SHARED), candidate) == []
    assert seen[0] == ((3, 4), (4, 5))
    assert failures(read(tmp_path, SHARED), always((3,))) == [0, 1, 2]


@pytest.mark.parametrize(
    ("number", "given_", "wanted"),
    [
        (63, [[[1, 2]]], [[(1, 2)]]),
        (75, [[[1, 2]], [3]], [[(1, 2)], [3]]),
        (106, [[1], [2]], [[1], (2,)]),
        (307, [[1], 0, [5]], [(1,), 0, [5]]),
        (259, [[[1, 2]], [[3]]], [((1, 2),), ((3,),)]),
        (278, [[1, [2, [3]]]], [(1, (2, [3]))]),
        (580, [[1, [2, [3]]]], [(1, (2, (3,)))]),
        (722, [{"a": [1, 2]}, 3], [{"a": (1, 2)}, 3]),
        (115, [[[1], []]], [[{1}, {}]]),
        (124, ["1", "2j"], [1.0, 2j]),
        (252, ["1+2j"], [1 + 2j]),
        (3, [[1, [2]]], [[1, [2]]]),
    ],
)
def test_each_shape_of_arguments(
    tmp_path: Path, number: int, given_: list[object], wanted: list[object]
) -> None:
    row = {
        **SHARED,
        "task_id": f"Mbpp/{number}",
        "entry_point": "f",
        "canonical_solution": "def f(*a):\n  return repr(a)\n",
        "base_input": [given_],
        "plus_input": None,
    }
    assert failures(read(tmp_path, row), always(repr(tuple(wanted)))) == []


@pytest.mark.parametrize(
    ("entry", "reference", "inputs", "right", "wrong"),
    [
        ("are_equivalent", "return 1", [1, 2], 0, None),
        ("sum_div", "return 6", [6], 0, 1),
        ("surface_Area", "return 0", [3, 4], 35, 34),
        ("digit_distance_nums", "return 9", [23, 156], 7, 5),
        ("check_str", "return True", ["a"], "match", None),
        ("check_str", "return False", ["a"], None, "match"),
        ("check_str", "return True", ["a"], True, False),
        ("Diff", "return [1, 2]", [[1]], [2, 1, 1], [1]),
    ],
)
def test_tasks_with_several_right_answers_have_a_rule(
    tmp_path: Path, entry: str, reference: str, inputs: list[object], right: object, wrong: object
) -> None:
    row = {
        **SHARED,
        "task_id": "Mbpp/3",
        "entry_point": entry,
        "canonical_solution": f"def {entry}(*a):\n  {reference}\n",
        "base_input": [inputs],
        "plus_input": [],
    }
    task = read(tmp_path, row)
    assert failures(task, always(right)) == []
    if wrong is not None:
        assert failures(task, always(wrong)) == [0]
    elsewhere = read(tmp_path, {**row, "task_id": "HumanEval/3"})
    assert (failures(elsewhere, always(right)) == []) == (right is True)


def test_any_root_solves_find_zero(tmp_path: Path) -> None:
    row = {
        **FACTORIAL,
        "prompt": "def find_zero(xs):\n",
        "entry_point": "find_zero",
        "canonical_solution": "    return -1.0\n",
        "base_input": [[[-1, 0, 1]]],
        "plus_input": [],
        "atol": 1e-4,
    }
    task = read(tmp_path, row)
    assert failures(task, always(1.00001)) == []
    assert failures(task, always(1.001)) == [0]


@pytest.mark.parametrize(
    ("actual", "expected", "tolerance", "verdict"),
    [
        (0.1 + 0.2, 0.3, 0.0, True),
        ([0.1 + 0.2], [0.3], 0.0, True),
        (0.3001, 0.3, 0.0, False),
        (0.3001, 0.3, 1e-3, True),
        (1, 2, 1e-3, False),
        (2, 2.0, 0.0, True),
        ((0.1 + 0.2,), [0.3], 0.0, False),
        ([0.3], [0.3, 0.3], 1e-3, False),
        ([[0.3001]], [[0.3]], 1e-3, True),
        ([0.1 + 0.2, 1], [0.3, 1], 0.0, False),
        (float("inf"), float("inf"), 1e-3, True),
        (float("inf"), float("-inf"), 1e-3, False),
        (float("nan"), float("nan"), 1e-3, False),
        ("a", "b", 1e-3, False),
        (None, 0.0, 1e-3, False),
        ([], [], 0.0, True),
        (1e9 + 1, 1e9, 0.0, True),
    ],
)
def test_tolerance(actual: object, expected: object, tolerance: float, verdict: bool) -> None:
    assert same(actual, expected, tolerance) is verdict


LEAVES = st.none() | st.integers() | st.floats(allow_nan=False) | st.text('a"\\\n\x00\ud800é')


@settings(deadline=None)
@given(st.recursive(LEAVES, st.lists))
def test_a_reference_agrees_with_itself(value: object) -> None:
    comparison = Comparison("def f(a):\n    return [a]", "f", json.dumps([[value]]))
    assert comparison.agrees(lambda a: [a], 0)
    assert not comparison.agrees(lambda a: [[a]], 0)


def test_other_numbers_than_numpy_would_take_agree_with_numpy() -> None:
    numpy = pytest.importorskip("numpy")
    for actual in (1.0, 1.0 + 5e-5, 1.0 + 2e-4, -1.0, 1e6 + 0.1):
        for expected in (1.0, 1e6, 0.0):
            wanted = bool(numpy.allclose(actual, expected, rtol=1e-7, atol=1e-4))
            assert same(actual, expected, 1e-4) is wanted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base_input": [], "plus_input": []}, "'base_input' and 'plus_input' are empty"),
        ({"base_input": "x"}, "'base_input' must be a list of argument lists"),
        ({"plus_input": [1]}, "'plus_input' must hold a list of arguments for each call"),
        ({"atol": "x"}, "'atol' must be a number from 0, not 'x'"),
        ({"atol": -1}, "'atol' must be a number from 0, not -1"),
        ({"entry_point": "g"}, "the entry point 'g' is not defined by the prompt"),
    ],
)
def test_a_bad_row_is_one_sentence(
    tmp_path: Path, change: Mapping[str, object], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, {**FACTORIAL, **change})
    assert str(caught.value).startswith("plus.jsonl, line 1: ")
    assert message in str(caught.value)


def test_the_sandbox_counts_each_input(tmp_path: Path) -> None:
    task = read(tmp_path, FACTORIAL)
    wrong = f"{task.prompt}    return n or 1\n"
    with open_sandbox(1) as sandbox:
        checks = [
            Check(s, task.entry_point, task.tests)
            for s in (task.prompt + str(task.canonical), wrong)
        ]
        right, partial = (sandbox.submit(check).result(timeout=60) for check in checks)
    assert (right.full, right.passed, right.total) == (True, 5, 5)
    assert (partial.full, partial.passed, partial.total) == (False, 2, 5)
