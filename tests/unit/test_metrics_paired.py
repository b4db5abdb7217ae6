from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.metrics_runs import Outcome, suite_run

from pytest_coderobust.metrics.comparison import RateChange, RunComparison
from pytest_coderobust.metrics.paired import compare, count_squares, judge_change
from pytest_coderobust.records import Cell, SuiteRun

Table = dict[str, dict[str, Outcome]]


def table(n: int, clean: list[int], *cells: list[int]) -> Table:
    return {
        f"T/{i}": {"clean": clean[i], **{f"C1-s{j}": own[i] for j, own in enumerate(cells)}}
        for i in range(n)
    }


def compared(before: Table, after: Table, n: int = 1, margin: float = 0.05) -> RunComparison:
    old, new = suite_run(before, n=n), suite_run(after, n=n)
    return compare(count_squares(old), count_squares(new), new, margin)


def change(found: RunComparison, condition: str, measure: str = "pass@1") -> RateChange:
    (one,) = (c for c in found.changes if (c.condition, c.measure) == (condition, measure))
    return one


def test_hand_worked_tables_of_one_pair_a_task() -> None:
    # 20 tasks: 8 lost, 1 gained. Exact McNemar: 2 * (C(9,0) + C(9,1)) / 2**9.
    clean = [1] * 20
    old = [1] * 14 + [0] * 6
    new = [0] * 8 + [1] * 6 + [1] + [0] * 5
    found = compared(table(20, clean, old), table(20, clean, new))
    c1 = change(found, "C1")
    assert (c1.method, c1.p) == ("exact McNemar", pytest.approx(2 * (1 + 9) / 512))
    assert (c1.before, c1.after) == (14 / 20, 7 / 20)
    assert c1.change == pytest.approx(-7 / 20)
    assert c1.verdict == "regressed"
    rd = change(found, "C1", "rd")
    assert (rd.before, rd.after) == (pytest.approx(0.3), pytest.approx(0.65))
    assert (rd.p, rd.method) == (None, "bootstrap over tasks")
    assert found.verdict == "inconclusive"  # two changes decide, and 2 * p is above 0.05
    assert found.fragile == tuple((f"T/{i}", Cell("C1", 0)) for i in range(8))
    assert found.fixed == (("T/14", Cell("C1", 0)),)
    assert found.unchanged == 40 - 9


def test_seeds_of_a_task_are_one_task() -> None:
    # Both seeds of 4 tasks are lost: 4 tasks changed, not 8 pairs; p = 2 / 2**4, not 2 / 2**8.
    clean, old, new = [1] * 8, [1] * 8, [0] * 4 + [1] * 4
    found = change(compared(table(8, clean, old, old), table(8, clean, new, new)), "C1")
    assert found.p == pytest.approx(2 / 16)
    half = change(compared(table(8, clean, old, old), table(8, clean, old, new)), "C1")
    assert (half.method, half.p) == ("sign flips", pytest.approx(2 / 16))


def test_equal_runs_of_enough_tasks_are_not_worse_and_of_few_are_inconclusive() -> None:
    many, few = table(100, [1] * 100, [1] * 100), table(10, [1] * 10, [1] * 10)
    assert compared(many, many).verdict == "not worse"
    found = compared(few, few)
    assert found.verdict == "inconclusive"
    assert found.deciding[0].detectable > 0.05
    assert compared(few, few, margin=0.3).verdict == "not worse"


def test_loss_of_the_clean_prompts_alone_is_a_regression() -> None:
    perturbed = [1] * 30 + [0] * 70
    found = compared(table(100, [1] * 100, perturbed), table(100, [1] * 70 + [0] * 30, perturbed))
    assert found.verdict == "regressed"
    assert change(found, "C1").verdict == "not worse"
    assert change(found, "C1", "rd").change < 0


def test_verdict_needs_every_deciding_change_to_be_not_worse() -> None:
    noise = np.random.default_rng(1)
    old = noise.integers(0, 2, 60).tolist()
    new = noise.integers(0, 2, 60).tolist()
    found = compared(table(60, [1] * 60, old), table(60, [1] * 60, new))
    assert [c.condition for c in found.deciding] == ["clean", "C1"]
    assert found.verdict == "inconclusive"


@pytest.mark.parametrize(
    ("low", "high", "p", "word"),
    [  # a worsening between low and high, against a margin of 0.05
        (-0.02, 0.04, 0.9, "not worse"),
        (0.01, 0.04, 0.001, "not worse"),  # worse, by less than anybody cares
        (0.01, 0.09, 0.01, "regressed"),
        (0.01, 0.09, 0.06, "inconclusive"),  # interval and test disagree
        (-0.01, 0.09, 0.2, "inconclusive"),
        (0.06, 0.09, None, "regressed"),
    ],
)
def test_verdicts(low: float, high: float, p: float | None, word: str) -> None:
    assert judge_change(low, high, p, 0.05) == word


def test_only_squares_that_both_runs_measured_are_compared() -> None:
    old = table(40, [1] * 40, [1] * 40)
    new = table(40, [1] * 40, [1] * 40)
    old["T/0"]["C1-s0"] = "skip"
    new["T/1"] = {"clean": "unusable", "C1-s0": "unusable"}
    found = compared(old, new)
    assert change(found, "clean").tasks == 39
    assert change(found, "C1").tasks == 38


def test_comparison_with_itself_backwards_turns_signs() -> None:
    old, new = table(50, [1] * 50, [1] * 40 + [0] * 10), table(50, [1] * 50, [1] * 20 + [0] * 30)
    there, back = change(compared(old, new), "C1"), change(compared(new, old), "C1")
    assert there.change == -back.change
    assert there.p == back.p
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=0.02)


def test_runs_without_a_shared_task_decide_nothing() -> None:
    run: SuiteRun = replace(suite_run(table(3, [1] * 3, [1] * 3)), observations=())
    found = compare({}, count_squares(run), run, 0.05)
    assert (found.verdict, found.tasks, found.changes) == ("inconclusive", 0, ())
