"""Stages that solutions come to, and adoption among eligible tasks, on what the sandbox says."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust import records
from pytest_coderobust.metrics.eligible import EligibleCounts, add_counts, count_eligible, watch_api
from pytest_coderobust.metrics.stages import (
    COMPILE,
    COMPILE_AT_LOAD,
    Stage,
    StageCounts,
    count_reached,
    count_stages,
    find_stage,
)
from pytest_coderobust.records import ApiChange, ApiUse, Level, Limits, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check, Sandbox

CHANGE = ApiChange("math.sqrt", "math.square_root")
TESTS = records.Tests("assert f(9) == 3\nassert f(16) == 4\n", "asserts")
NEW = "import math\ndef f(x):\n    return math.square_root(x)\n"
OLD = "import math\ndef f(x):\n    return math.sqrt(x)\n"
OWN = "def f(x):\n    return x ** 0.5\n"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(1) as opened:
        yield opened


def judge(sandbox: Sandbox, solution: str, *changes: ApiChange) -> Verdict:
    check = Check(solution, "f", TESTS, Limits(cpu_seconds=0.5), api_changes=changes)
    return sandbox.submit(check).result(timeout=60)


STAGES = {
    "def f(x:": Stage.NONE,
    "1 // 0\ndef f(x):\n    return x\n": Stage.PARSES,
    "from math import sqrt\ndef f(x):\n    return sqrt(x)\n": Stage.PARSES,
    OLD: Stage.LOADS,
    "def f(x):\n    return sqroot(x)\n": Stage.LOADS,
    "import math\ndef f(x):\n    return math.sqroot(x)\n": Stage.LOADS,
    "def f(x):\n    import maths\n    return maths.sqrt(x)\n": Stage.LOADS,
    "def f(x):\n    from math import sqroot\n    return sqroot(x)\n": Stage.LOADS,
    "import math\ndef f(x):\n    return math.square_root(x) if x == 9 else math.sqrt(x)\n": Stage.LOADS,
    "import math\ndef f(x):\n    return x if hasattr(math, 'sqrt') else 0\n": Stage.LOADS,
    "def f(x):\n    return x.sqrt()\n": Stage.RESOLVES,  # an attribute of no module
    "def f(x):\n    y += x\n    return y\n": Stage.RESOLVES,  # UnboundLocalError is another mistake
    "def f(x):\n    raise ValueError('NameError: x')\n": Stage.RESOLVES,
    "def f(x):\n    return x\n": Stage.RESOLVES,
    "def f(x):\n    while True: pass\n": Stage.RESOLVES,
    NEW: Stage.PASSES,
    OWN: Stage.PASSES,
}


@pytest.mark.parametrize("solution", STAGES)
def test_each_solution_comes_to_its_stage(sandbox: Sandbox, solution: str) -> None:
    verdict = judge(sandbox, solution, CHANGE)
    assert find_stage(verdict) is STAGES[solution], verdict


def test_what_compiles_depends_on_the_sense(sandbox: Sandbox) -> None:
    stale = find_stage(judge(sandbox, OLD, CHANGE))
    assert stale >= COMPILE_AT_LOAD
    assert not stale >= COMPILE
    assert find_stage(judge(sandbox, "def f(x):\n    return x\n", CHANGE)) >= COMPILE


def test_programs_have_stages_too(sandbox: Sandbox) -> None:
    tests = records.Tests(json.dumps({"inputs": ["9"], "outputs": ["3.0"]}), "stdio")
    found = {}
    for body in ("math.sqrt(int(input()))", "math.square_root(int(input()))", "1 // 0", "int("):
        check = Check(f"import math\nprint({body})\n", "", tests, api_changes=(CHANGE,))
        found[body] = find_stage(sandbox.submit(check).result(timeout=60))
    assert list(found.values()) == [Stage.LOADS, Stage.PASSES, Stage.RESOLVES, Stage.NONE]


def test_samples_are_counted_by_stage(sandbox: Sandbox) -> None:
    verdicts = [judge(sandbox, solution, CHANGE) for solution in STAGES]
    stages = list(STAGES.values())
    assert count_stages(verdicts) == StageCounts(
        *(sum(stage >= least for stage in stages) for least in Stage)
    )
    assert count_stages([]) == StageCounts(0, 0, 0, 0, 0)


def test_eligible_is_who_used_the_api_and_passed(sandbox: Sandbox) -> None:
    watched = watch_api(CHANGE)
    assert (watched.old, watched.kind, watched.label) == (
        "math.sqrt",
        "watched",
        "math.sqrt watched",
    )
    wrong = OLD.replace("math.sqrt(x)", "math.sqrt(x) + 1")
    old_world = {"adopts": OLD, "stale": OLD, "gone": OLD, "works round": OLD, "wrong": OLD,
                 "never did": OWN, "never could": wrong, "left out": OLD}  # fmt: skip
    new_world = {"adopts": NEW, "stale": OLD, "gone": "def f(x):\n    return 0\n",
                 "works round": OWN, "wrong": NEW.replace("(x)\n", "(x) + 1\n"), "never did": OWN,
                 "never could": NEW}  # fmt: skip
    before = {task: [judge(sandbox, text, watched)] for task, text in old_world.items()}
    after = {task: [judge(sandbox, text, CHANGE)] for task, text in new_world.items()}
    found = count_eligible(before, after)
    assert found == EligibleCounts(
        tasks=7, eligible=5, correct=1, incorrect=1, workaround=1, stale=1, other=1, lost=3
    )
    assert found.adoption == 0.2
    assert count_eligible({}, {}).adoption is None
    # Several samples: half of them must use it and pass.
    good, bad = before["adopts"][0], before["never did"][0]
    mixed = {"a": [good, bad], "b": [good, bad, bad]}
    assert count_eligible(mixed, {"a": after["adopts"], "b": after["adopts"]}).eligible == 1


@given(st.lists(st.sampled_from(Stage)))
def test_every_sample_ends_once(stages: list[Stage]) -> None:
    found = count_reached(stages)
    assert found.ends == tuple(stages.count(stage) for stage in Stage)
    assert sum(found.ends) == found.n == len(stages)
    assert found.n >= found.parses >= found.loads >= found.resolves >= found.passes


def judged(full: bool, old: int, new: int) -> Verdict:
    return Verdict(
        Level.FULL if full else Level.NONE, int(full), 1, "", api_uses=(ApiUse(old, new),)
    )


VERDICTS = st.builds(judged, st.booleans(), st.integers(0, 1), st.integers(0, 1))
SAMPLES = st.lists(VERDICTS, min_size=1, max_size=3)


@given(st.dictionaries(st.text(max_size=2), st.tuples(SAMPLES, SAMPLES)), st.integers(1, 3))
def test_counts_of_parts_add_up(
    tasks: dict[str, tuple[list[Verdict], list[Verdict]]], parts: int
) -> None:
    def count(names: list[str]) -> EligibleCounts:
        before, after = ({name: tasks[name][side] for name in names} for side in (0, 1))
        return count_eligible(before, after)

    names = list(tasks)
    found = add_counts(count(names[part::parts]) for part in range(parts))
    assert found == count(names)
    assert add_counts([]) is None
