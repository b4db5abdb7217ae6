"""HumanEval+'s own test text (inputs/results loop, `assertion` helper), assert by assert."""

from __future__ import annotations

import json

import pytest

from pytest_coderobust import Check, Level, Limits, Verdict, check
from pytest_coderobust.tasks.load import load_tasks

# Written after the shape of the hub's rows; the helper's exact text differs by release.
TEST = """\
import numpy as np

def is_floats(x) -> bool:
    if isinstance(x, float):
        return True
    if isinstance(x, (list, tuple)) and x:
        return all(isinstance(i, float) for i in x)
    if isinstance(x, np.ndarray):
        return x.dtype == np.float64 or x.dtype == np.float32
    return False

def assertion(out, exp, atol):
    exact_match = out == exp
    if atol == 0 and is_floats(exp):
        atol = 1e-6
    if not exact_match and atol != 0:
        assert type(out) == type(exp)
        assert np.allclose(out, exp, rtol=1e-07, atol=atol)
    else:
        assert exact_match

def check(candidate):
    inputs = [[[1.0, 2.0], 2], [[3.0], 4], [[], 1]]
    results = [[0.5, 1.0], [0.75], []]
    for i, (inp, exp) in enumerate(zip(inputs, results)):
        assertion(candidate(*inp), exp, 0)
"""
ROW = {
    "task_id": "HumanEval/900",
    "prompt": 'def scale(values, by):\n    """Each value divided by `by`."""\n',
    "entry_point": "scale",
    "canonical_solution": "    return [value / by for value in values]\n",
    "test": TEST,
}
TYPE, CLOSE, EXACT = range(3)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    folder = tmp_path_factory.mktemp("plus")
    (folder / "plus.jsonl").write_text(json.dumps(ROW) + "\n")
    task = load_tasks("plus.jsonl", base=folder).tasks[0]
    bodies = {
        "right": str(ROW["canonical_solution"]),
        "close": "    return [value / by + 1e-9 for value in values]\n",
        "far": "    return [value / by + 1e-3 for value in values]\n",
        "tuple": "    return tuple(value / by for value in values)\n",
        "none": "    return None\n",
        "raises": "    return [value / by for value in values] if values else 1 // 0\n",
        "hangs": "    while not values: pass\n    return [value / by for value in values]\n",
        "dies": "    import os\n    return [v / by for v in values] if values else os._exit(0)\n",
    }
    limits = Limits(cpu_seconds=1, wall_seconds=4)
    checks = [Check(task.prompt + body, "scale", task.tests, limits) for body in bodies.values()]
    return dict(zip(bodies, check(checks, workers=1), strict=True))


def test_the_total_is_known_before_the_run(verdicts: dict[str, Verdict]) -> None:
    assert {verdict.total for verdict in verdicts.values()} == {3}  # asserts of the source


def test_exact_and_close_answers_pass(verdicts: dict[str, Verdict]) -> None:
    assert verdicts["right"].full
    assert verdicts["close"].full


@pytest.mark.parametrize(
    ("name", "passed", "failure"),
    [
        # allclose fails for two inputs; the exact assert held for the empty list
        ("far", 2, "wrong-answer"),
        # a tuple has the wrong type, its numbers are close, and () == [] does not hold
        ("tuple", 1, "wrong-answer"),
        ("none", 0, "wrong-answer"),
        # right for two inputs, so the exact assert ran and held
        ("raises", 1, "exception"),
        ("hangs", 1, "timeout"),
        ("dies", 1, "died"),
    ],
)
def test_each_assert_of_helper_and_loop_counts_once(
    verdicts: dict[str, Verdict], name: str, passed: int, failure: str
) -> None:
    verdict = verdicts[name]
    assert (verdict.passed, verdict.failure) == (passed, failure), verdict
    assert verdict.level is (Level.PARTIAL if passed else Level.LOAD)
