"""The readers against whole benchmarks and whole releases of recorded variants."""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_coderobust.records import PromptForm, Task
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check, Sandbox
from pytest_coderobust.tasks.form import is_example
from pytest_coderobust.tasks.load import load_tasks
from pytest_coderobust.tasks.recordings import load_recorded

pytestmark = pytest.mark.skipif(
    not os.environ.get("CODEROBUST_DATA"), reason="CODEROBUST_DATA names no benchmark data"
)
HERE = Path()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(2) as opened:
        yield opened


def asserts(task: Task) -> list[str]:
    tree = ast.parse(task.tests.source)
    return [ast.unparse(s) for s in tree.body if isinstance(s, ast.Assert)]


def wrong(sandbox: Sandbox, solutions: dict[str, tuple[Task, str]]) -> dict[str, str]:
    """Task id to what went wrong, for the solutions that do not pass."""
    futures = {
        name: sandbox.submit(Check(solution, task.entry_point, task.tests))
        for name, (task, solution) in solutions.items()
    }
    verdicts = {name: future.result(timeout=300) for name, future in futures.items()}
    return {name: verdict.detail for name, verdict in verdicts.items() if not verdict.full}


@pytest.mark.parametrize(
    ("name", "form", "count"),
    [("humaneval", "docstring", 164), ("mbpp", "docstring", 427), ("mbpp", "plain", 427)],
)
def test_prompt_and_canonical_solution_are_a_program_that_passes(
    sandbox: Sandbox, name: str, form: PromptForm, count: int
) -> None:
    tasks = load_tasks(name, base=HERE, form=form).tasks
    assert len(tasks) == count
    assert wrong(sandbox, {t.id: (t, t.prompt + (t.canonical or "")) for t in tasks}) == {}


def test_stubs_do_not_pass(sandbox: Sandbox) -> None:
    tasks = [t for name in ("humaneval", "mbpp") for t in load_tasks(name, base=HERE).tasks]
    stubs = {t.id: (t, f"{t.preamble}def {t.entry_point}(*_, **__):\n    pass\n") for t in tasks}
    assert len(wrong(sandbox, stubs)) == 164 + 427


def indent(task: Task) -> str:
    """The indentation of the docstring: four spaces, but for two prompts of HumanEval."""
    last = task.prompt.rstrip().split("\n")[-1]
    return last[: len(last) - len(last.lstrip())]


@pytest.mark.parametrize("name", ["humaneval", "mbpp"])
def test_every_prompt_with_a_body_parses_and_defines_the_entry_point(name: str) -> None:
    for task in load_tasks(name, base=HERE).tasks:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an escape that is none would warn
            tree = ast.parse(f"{task.prompt}{indent(task)}pass\n")
        function = tree.body[-1]
        assert isinstance(function, ast.FunctionDef)
        assert function.name == task.entry_point
        if name == "mbpp":
            assert (ast.get_docstring(function) is not None, indent(task)) == (True, "    ")
        assert task.prompt.startswith(task.preamble)
        assert task.prompt[len(task.preamble) :].startswith(f"def {task.entry_point}")


def test_1248_of_1324_asserts_are_call_equals_value() -> None:
    tasks = load_tasks("mbpp", base=HERE).tasks
    tests = [(test, task) for task in tasks for test in asserts(task)]
    shown = [test for test, task in tests if is_example(test, task.entry_point)]
    assert (len(shown), len(tests)) == (1248, 1324)
    doctests = sum(task.prompt.count("\n    >>> ") for task in tasks)
    others = sum(task.prompt.count("\n    assert ") for task in tasks)
    assert (doctests, others) == (1248, 76)


def test_helpers_are_given_where_tests_need_them() -> None:
    tasks = [t for name in ("humaneval", "mbpp") for t in load_tasks(name, base=HERE).tasks]
    assert {task.id for task in tasks if task.tests.helpers} == {
        "HumanEval/32",
        "HumanEval/38",
        "HumanEval/50",
        "MBPP/596",
    }


def test_another_form_of_mbpp_reads_as_own_tasks() -> None:
    assert len(load_tasks("mbpp", base=HERE).tasks) == 427
    data = Path(os.environ["CODEROBUST_DATA"])
    recoded = load_tasks("mbpp/mbpp_recode.jsonl.gz", base=data)
    assert (recoded.name, len(recoded.tasks)) == ("mbpp_recode", 974)


EMPTY = "extra_space_among_words.csv.gz holds no prompts and was left out"


@pytest.mark.parametrize("name", ["humaneval", "mbpp"])
def test_20_of_21_files_of_nlperturbator_load_and_every_row_pairs(name: str) -> None:
    tasks = load_tasks(name, base=HERE)
    pattern = f"nlperturbator/{name}_r/*.csv.gz"
    found = load_recorded([pattern], base=HERE, tasks=tasks, form="docstring")
    assert len(found.variants) == 20
    assert {cell.seed for cell in found.variants} == {0}
    ids = {task.id for task in tasks.tasks}
    assert all(variants.keys() == ids for variants in found.variants.values())
    assert f"{name}_{EMPTY}" in found.notes
    assert not [note for note in found.notes if "of no task" in note]


def test_mbpp_variants_differ_from_the_clean_prompt_in_the_description_alone() -> None:
    tasks = load_tasks("mbpp", base=HERE)
    pattern = "nlperturbator/mbpp_r/*.csv.gz"
    found = load_recorded([pattern], base=HERE, tasks=tasks, form="docstring")
    for variants in found.variants.values():
        for variant in variants.values():
            head, mark, rest = variant.prompt.partition('"""')
            clean_head, _, clean_rest = variant.task.prompt.partition('"""')
            assert (head, mark) == (clean_head, '"""')
            _, shown, examples = rest.partition("\n    >>> ")
            if not shown:
                _, shown, examples = rest.partition("\n    assert ")
            assert clean_rest.endswith(shown + examples)
            same = variant.prompt == variant.task.prompt
            assert (variant.skipped == "unchanged in the recording") == same
            assert bool(variant.skipped) == (same or bool(variant.damage))


def test_recodes_release_loads_with_its_seeds() -> None:
    tasks = load_tasks("humaneval", base=HERE)
    found = load_recorded(
        ["recode/humaneval/*"], base=HERE, tasks=tasks, form="docstring", keep_damaged=True
    )
    seeds: dict[str, list[int]] = {}
    for cell in found.variants:
        seeds.setdefault(cell.perturbation, []).append(cell.seed)
    assert len(seeds) == 10
    assert seeds.pop("recorded:BackTranslation") == [0]
    assert seeds.pop("recorded:TenseTransformationPast") == [0]
    assert seeds.pop("recorded:TenseTransformationFuture") == [0]
    assert set(map(tuple, seeds.values())) == {(0, 1, 2)}
    variants = [v for found_ in found.variants.values() for v in found_.values()]
    assert len(variants) == 24 * 164
    assert sum(bool(v.skipped) for v in variants) == 172  # ReCode's own flag says so too
