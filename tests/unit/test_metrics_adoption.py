"""Adoption: one hand-made completion for each of the four, judged in the real sandbox; counts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_coderobust import records
from pytest_coderobust.metrics.adoption import (
    AdoptionCounts,
    classify_adoption,
    count_adoptions,
    is_stale,
)
from pytest_coderobust.records import (
    Adoption,
    ApiChange,
    Cell,
    Limits,
    ModelIdentity,
    Observation,
    Sampling,
    Status,
    SuiteRun,
)
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check, Sandbox

CHANGE = ApiChange("math.sqrt", "math.square_root")
LIMITS = Limits(cpu_seconds=0.5)
TESTS = records.Tests("assert f(9) == 3\nassert f(16) == 4\n", "asserts")
WRITTEN = {
    Adoption.CORRECT: "import math\ndef f(x):\n    return math.square_root(x)\n",
    Adoption.INCORRECT: "import math\ndef f(x):\n    return math.square_root(x) + 1\n",
    Adoption.WORKAROUND: "def f(x):\n    return x ** 0.5\n",
    Adoption.NONE: "import math\ndef f(x):\n    return math.sqrt(x)\n",
}

TRIES_FIRST = """
import math
def f(x):
    try:
        return math.sqrt(x)
    except AttributeError:
        return math.square_root(x)
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(1) as opened:
        yield opened


def adopted(sandbox: Sandbox, solution: str, *changes: ApiChange) -> Adoption:
    check = Check(solution, "f", TESTS, LIMITS, api_changes=changes or (CHANGE,))
    return classify_adoption(sandbox.submit(check).result(timeout=60))


@pytest.mark.parametrize("adoption", Adoption)
def test_each_of_the_four(sandbox: Sandbox, adoption: Adoption) -> None:
    assert adopted(sandbox, WRITTEN[adoption]) is adoption


@pytest.mark.parametrize(
    ("solution", "adoption"),
    [
        # Written down and never run is not used.
        (
            "import math\ndef f(x):\n    return x ** 0.5 if x else math.square_root(x)\n",
            "workaround",
        ),
        # Trying the old one first does not matter.
        (TRIES_FIRST, "correct"),
        ("import math\ndef f(x):\n    math.square_root(x)\n    while True: pass\n", "incorrect"),
        ("from math import sqrt\ndef f(x):\n    return sqrt(x)\n", "none"),
        ("def f(x:", "none"),
        ("", "none"),
    ],
)
def test_what_was_called_decides(sandbox: Sandbox, solution: str, adoption: str) -> None:
    assert adopted(sandbox, solution).value == adoption


def test_of_several_changes_one_is_enough(sandbox: Sandbox) -> None:
    other = ApiChange("math.floor")
    assert adopted(sandbox, WRITTEN[Adoption.CORRECT], other, CHANGE) is Adoption.CORRECT
    assert adopted(sandbox, WRITTEN[Adoption.WORKAROUND], other) is Adoption.WORKAROUND


@pytest.mark.parametrize(
    ("solution", "stale"),
    [
        (WRITTEN[Adoption.NONE], True),
        ("from math import sqrt\ndef f(x):\n    return x ** 0.5\n", True),
        ("def f(x):\n    return 0\n", False),  # none, and never came near the old name
        (TRIES_FIRST, False),
        (TRIES_FIRST.replace("math.square_root(x)", "x ** 0.5"), False),  # a workaround
    ],
)
def test_stale_is_a_part_of_none(sandbox: Sandbox, solution: str, stale: bool) -> None:
    check = Check(solution, "f", TESTS, LIMITS, api_changes=(CHANGE,))
    assert is_stale(sandbox.submit(check).result(timeout=60)) is stale


def suite_run(*observations: Observation, changes: tuple[ApiChange, ...] = (CHANGE,)) -> SuiteRun:
    cells = (Cell(), Cell("C1", 0), Cell("C1", 1), Cell("C2", 0))
    return SuiteRun(
        "s", ModelIdentity("m", "d"), Sampling(), (1,), 0.5, ("a", "b"), cells,
        {"C1": "character", "C2": "character"}, observations, api_changes=changes,
    )  # fmt: skip


def test_counts_pool_the_seeds_of_a_condition() -> None:
    def seen(task: str, cell: Cell, *adoptions: Adoption, stale: int = 0) -> Observation:
        return Observation(task, cell, Status.SOLVED, 2, 1, 2, 1, adoptions=adoptions, stale=stale)

    run = suite_run(
        seen("a", Cell(), Adoption.CORRECT, Adoption.NONE, stale=1),
        seen("b", Cell()),  # a task without a change
        seen("a", Cell("C1", 0), Adoption.INCORRECT, Adoption.INCORRECT),
        seen("a", Cell("C1", 1), Adoption.WORKAROUND, Adoption.INCORRECT),
    )
    assert count_adoptions(run) == (
        AdoptionCounts("clean", correct=1, none=1, stale=1),
        AdoptionCounts("C1", incorrect=3, workaround=1),
        AdoptionCounts("C2"),
    )


def test_a_suite_without_a_change_has_no_counts() -> None:
    assert count_adoptions(suite_run(changes=())) == ()
