"""The one word for a suite: the worst outcome of its gates decides."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.metrics_runs import Outcome, result_of, suite_run

from pytest_coderobust.gates import switch_off
from pytest_coderobust.results.standing import find_standing, find_widest, find_worst

TABLE: dict[str, dict[str, Outcome]] = {
    f"T/{n}": {"clean": 1, "C1-s0": int(n < 6), "C2-s0": int(n < 3)} for n in range(10)
}
UNSURE = {"gate": "pass@1[C1] >= 0.55", "confidence": 0.95}


@pytest.mark.parametrize(
    ("gates", "word", "deciding"),
    [
        ([], "no gates", 0),
        (["pass@1 >= 0.5"], "holds", 1),
        (["pass@1 >= 0.5", "rd[C2] <= 0.1", "rd[C1] <= 0.1", UNSURE], "fails", 2),
        (["pass@1 >= 0.5", UNSURE], "inconclusive", 1),
    ],
)
def test_the_worst_outcome_is_the_word(gates: list[object], word: str, deciding: int) -> None:
    found = find_standing(result_of(suite_run(TABLE), *gates))
    assert (found.word, found.gates, len(found.deciding)) == (word, len(gates), deciding)


def test_a_part_of_a_run_is_no_verdict() -> None:
    run = suite_run(TABLE, incomplete="3 of 30 items deselected")
    assert find_standing(result_of(run)).word == "partial"
    assert find_standing(result_of(run, "pass@1 >= 0.1")).word == "not judged"


def test_gates_that_are_off_are_no_verdict() -> None:
    result = result_of(suite_run(TABLE), "pass@1 >= 0.99", "rd[C2] <= 0.1")
    off = replace(result, gates=switch_off(result.gates))
    assert find_standing(off).word == "gates off"


def test_widest_and_worst() -> None:
    summary = result_of(suite_run(TABLE)).summary
    widest, worst = find_widest(summary.conditions), find_worst(summary)
    assert widest is not None
    assert widest.members == ("C1", "C2")
    assert worst is not None
    assert worst.name == "C2"
    alone = {task: {name: row[name] for name in ("clean", "C1-s0")} for task, row in TABLE.items()}
    assert find_worst(result_of(suite_run(alone)).summary) is None
    clean = {task: {"clean": row["clean"]} for task, row in TABLE.items()}
    assert find_widest(result_of(suite_run(clean)).summary.conditions) is None
