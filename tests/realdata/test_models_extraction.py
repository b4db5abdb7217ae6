"""Real completions through extraction and judge, against the reference evaluator's verdicts.

The completions were drawn for prompts without doctest examples; they are judged, as the reference
judged them, with HumanEval's own prompt in front.
"""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_coderobust.models.extraction.solution import Mode, extract
from pytest_coderobust.models.replay import Replay
from pytest_coderobust.records import Cell, Row, Sampling, Variant
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check, Sandbox
from pytest_coderobust.tasks.load import load_tasks

SAMPLE, SEED = 120, 0
TEN = Sampling(n=10)
STEM = "humaneval_codegen16b_t0.8_n10"

pytestmark = pytest.mark.skipif(
    not os.environ.get("CODEROBUST_DATA"), reason="CODEROBUST_DATA names no benchmark data"
)


@dataclass(frozen=True)
class Recorded:
    """One recorded completion; whether the reference passes it as it is, and cut."""

    variant: Variant
    completion: str
    raw: bool
    cut: bool


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    opened = open_sandbox(2)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def recorded(data: Path) -> list[Recorded]:
    folder = data / "completions"
    model = Replay(folder / f"{STEM}.jsonl.gz")
    variants = [
        Variant(task, Cell(), task.prompt) for task in load_tasks("humaneval", base=data).tasks
    ]
    rows = [Row(variant, sample, 0) for variant in variants for sample in range(10)]
    assert [model.unavailable(variant, TEN) for variant in variants] == [""] * 164
    answers = model.generate(rows, TEN)
    marks = verdicts_by_row(folder)
    return [
        Recorded(row.variant, answer.text, *marks[row.variant.task.id, row.sample])
        for row, answer in zip(rows, answers, strict=True)
    ]


def verdicts_by_row(folder: Path) -> dict[tuple[str, int], tuple[bool, bool]]:
    """The reference's verdicts by task and sample, samples counted in order of appearance."""
    found: dict[tuple[str, int], tuple[bool, bool]] = {}
    with gzip.open(folder / f"{STEM}.verdicts.jsonl.gz", "rt", encoding="utf-8") as lines:
        for mark in map(json.loads, lines):
            task = mark["task_id"]
            sample = sum(1 for key in found if key[0] == task)
            found[task, sample] = (mark["raw"], mark["cut"])
    return found


def passes(sandbox: Sandbox, chosen: Sequence[Recorded], mode: Mode) -> list[bool]:
    futures = []
    for one in chosen:
        task = one.variant.task
        solution = extract(one.completion, task, mode)
        futures.append(sandbox.submit(Check(solution, task.entry_point, task.tests)))
    return [future.result(timeout=600).full for future in futures]


def names(chosen: Sequence[Recorded], wanted: Sequence[Any]) -> list[str]:
    return [one.variant.task.id for one, yes in zip(chosen, wanted, strict=True) if yes]


def test_extraction_of_a_sample_loses_no_pass(sandbox: Sandbox, recorded: list[Recorded]) -> None:
    passing = [one for one in recorded if one.raw or one.cut]
    chosen = random.Random(SEED).sample(passing, SAMPLE)
    print(f"{SAMPLE} of {len(passing)} passing recorded completions, seed {SEED}")  # noqa: T201
    lost = [not passed for passed in passes(sandbox, chosen, "code")]
    assert names(chosen, lost) == []


def test_what_extraction_alters_passes_no_less(sandbox: Sandbox, recorded: list[Recorded]) -> None:
    """Where nothing is altered, nothing can change: the others are the whole difference."""
    altered = [
        one
        for one in recorded
        if extract(one.completion, one.variant.task) != one.variant.task.prompt + one.completion
    ]
    found = passes(sandbox, altered, "code")
    lost = [one.raw and not passed for one, passed in zip(altered, found, strict=True)]
    assert names(altered, lost) == []
    unaltered = sum(one.raw for one in recorded) - sum(one.raw for one in altered)
    assert unaltered + sum(found) >= 351


@pytest.mark.slow
def test_raw_passes_exactly_what_the_reference_passes(
    sandbox: Sandbox, recorded: list[Recorded]
) -> None:
    found = passes(sandbox, recorded, "raw")
    assert found == [one.raw for one in recorded]
    assert sum(found) == 348


@pytest.mark.slow
def test_extraction_passes_at_least_what_cutting_passes(
    sandbox: Sandbox, recorded: list[Recorded]
) -> None:
    found = passes(sandbox, recorded, "code")
    lost = [(one.raw or one.cut) and not yes for one, yes in zip(recorded, found, strict=True)]
    assert names(recorded, lost) == []
    assert sum(found) == 356


def test_canonical_solutions_are_not_altered(data: Path) -> None:
    for name in ("humaneval", "mbpp"):
        for task in load_tasks(name, base=data).tasks:
            assert task.canonical is not None
            assert extract(task.canonical, task).endswith(task.canonical.lstrip())
