"""The quickstart suite has HumanEval's form, tests that fail wrong answers, and every API."""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from pathlib import Path

import pytest

from pytest_coderobust.tiny.composition import held_out_keys
from pytest_coderobust.tiny.families import FAMILIES
from pytest_coderobust.tiny.family import Composition
from pytest_coderobust.tiny.sample import TaskFunction, compose, draw_arguments, load, write_answer
from pytest_coderobust.tiny.suite import TASKS_FILE, quickstart, rows

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROWS = [json.loads(line) for line in TASKS_FILE.read_text(encoding="utf-8").splitlines()]
ROOT = Path(__file__).parents[2]


def passes(row: dict[str, str], body: str) -> bool:
    namespace: dict[str, object] = {}
    exec(row["prompt"] + body, namespace)
    candidate = namespace[row["entry_point"]]
    exec(row["test"], namespace)
    check = namespace["check"]
    assert callable(check)
    try:
        check(candidate)
    except Exception:  # noqa: BLE001 - a wrong body may fail in any way
        return False
    return True


def arguments_of(row: dict[str, str]) -> list[str]:
    head = row["prompt"].partition("\n")[0]
    return head[head.index("(") + 1 : head.index(")")].split(", ")


def test_the_file_is_what_the_generator_writes() -> None:
    assert rows() == ROWS


def test_the_suite_has_the_promised_size_and_shape() -> None:
    assert len(ROWS) >= 150
    assert [row["task_id"] for row in ROWS] == [f"quickstart/{i}" for i in range(len(ROWS))]
    assert {frozenset(row) for row in ROWS} == {
        frozenset({"task_id", "prompt", "entry_point", "canonical_solution", "test", "tags"})
    }
    assert len({row["prompt"] for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row["prompt"].startswith(f"def {row['entry_point']}(")
        assert ">>>" in row["prompt"]
        assert row["prompt"].endswith('"""\n')


def test_a_fifth_is_asked_in_unseen_words() -> None:
    unseen = sum("phrasing:unseen" in row["tags"] for row in ROWS)
    assert 0.18 <= unseen / len(ROWS) <= 0.22


def test_every_library_call_is_exercised_and_labelled() -> None:
    labelled = Counter(tag for row in ROWS for tag in row["tags"] if tag.startswith("api:"))
    offered = {
        family.name: {api for c in family.compositions() for api in c.apis} for family in FAMILIES
    }
    library = {name for name, apis in offered.items() if apis}
    shown = {t for r in ROWS for t in r["tags"] if t.startswith("family:")}
    assert {f"family:{name}" for name in library} <= shown
    assert len(labelled) >= 12
    for row in ROWS:
        for tag in row["tags"]:
            if tag.startswith("api:"):
                assert tag.rpartition(".")[2] in row["canonical_solution"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["task_id"])
def test_canonical_solution_passes_and_a_stub_fails(row: dict[str, str]) -> None:
    assert passes(row, row["canonical_solution"])
    assert not passes(row, "    return None\n")


def test_hidden_tests_tell_a_task_from_its_siblings() -> None:
    """Nearly no sibling passes that answers otherwise on new inputs."""
    rng = random.Random("siblings")
    told = missed = 0
    for row, sample in zip(ROWS, quickstart(), strict=True):
        for sibling in neighbours(sample.composition, rng):
            if differ(sample.composition, sibling, rng):
                body = write_answer(sibling, row["entry_point"], arguments_of(row))
                if passes(row, body):
                    missed += 1
                else:
                    told += 1
    assert told > 200
    assert missed <= told / 100


def neighbours(composition: Composition, rng: random.Random) -> list[Composition]:
    found = []
    for i, part in enumerate(composition.family.parts):
        other = rng.choice(part.choices)
        if other != composition.choices[i]:
            choices = (*composition.choices[:i], other, *composition.choices[i + 1 :])
            found.append(Composition(composition.family, choices))
    return found


def differ(one: Composition, other: Composition, rng: random.Random) -> bool:
    """Says whether both are defined and disagree on one of a few new inputs."""
    first, second = function(one), function(other)
    for _ in range(8):
        arguments = draw_arguments(one, rng)
        try:
            if repr(first(*arguments)) != repr(second(*arguments)):
                return True
        except (ValueError, IndexError, KeyError, TypeError, ArithmeticError):
            continue
    return False


def function(composition: Composition) -> TaskFunction:
    names = ["p", "q"][: len(composition.family.arguments)]
    return load(f"def f({', '.join(names)}):\n" + write_answer(composition, "f", names), "f")


def test_edge_cases_are_tested() -> None:
    empty = [
        row for row in ROWS if "candidate([])" in row["test"] or "candidate('')" in row["test"]
    ]
    assert len(empty) > len(ROWS) / 3
    assert min(row["test"].count("assert") for row in ROWS) >= 5


def test_held_out_meanings_are_asked_in_the_suite() -> None:
    new = [s for s in quickstart() if s.composition.key in held_out_keys(s.composition.family.name)]
    assert len(new) == sum("new:meaning" in row["tags"] for row in ROWS) > 100


def test_composing_again_gives_the_same_task() -> None:
    sample = quickstart()[7]
    again = compose(sample.composition, random.Random(5))
    assert again == compose(sample.composition, random.Random(5))
    assert again.composition == sample.composition


def test_the_suite_file_names_the_bundled_tasks() -> None:
    suite = tomllib.loads((ROOT / "example_suites" / "quickstart.toml").read_text())
    assert suite["suite"]["tasks"] == "quickstart"
    assert suite["suite"]["perturbations"] == ["C1", "C2", "C3"]
