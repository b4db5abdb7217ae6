from __future__ import annotations

from dataclasses import replace

import pytest
from support.metrics_runs import Outcome, suite_run

from pytest_coderobust.gates import (
    GateOutcome,
    decide,
    exit_failed,
    parse_gate,
    switch_off,
)
from pytest_coderobust.metrics.catalogue import NAMES, QUALITIES
from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.records import SuiteRun

# Clean 3 of 4; C1 passes 2 of 4 (RD 1/3), two broken; worst case is the same with one seed.
TABLE: dict[str, dict[str, Outcome]] = {
    "T/0": {"clean": 1, "C1-s0": 1},
    "T/1": {"clean": 1, "C1-s0": 0},
    "T/2": {"clean": 0, "C1-s0": 1},
    "T/3": {"clean": 1, "C1-s0": 0},
}


def outcome(text: object, run: SuiteRun | None = None) -> GateOutcome:
    measured = suite_run(TABLE) if run is None else run
    (found,) = decide([parse_gate(text, "toy.toml")], summarise(measured), measured)
    return found


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("pass@1 >= 0.75", 0.75, True),
        ("pass@1 > 0.75", 0.75, False),
        ("pass@1[C1] >= 0.5", 0.5, True),
        ("rd[C1] <= 0.34", 1 / 3, True),
        ("rd[C1] <= 0.33", 1 / 3, False),
        ("rd[character] < 0.34", 1 / 3, True),
        ("rd < 0.33", 1 / 3, False),
        ("robust_pass@1[C1] >= 0.5", 0.5, True),
        ("robust_drop[C1] <= 0.4", 1 / 3, True),
        ("robust_relative[C1] <= 0.5", 0.75, False),
        ("solved >= 3", 3, True),
        ("unsolved <= 0", 1, False),
        ("unsolved[C1] <= 1", 1, True),
        ("broken[C1] <= 2", 2, True),
        ("broken < 2", 2, False),
        ("robust >= 1", 1, True),
        ("skipped <= 0", 0, True),
        ("truncated <= 0", 0, True),
        ("unusable <= 0", 0, True),
        ("unchecked > 0", 0, False),
    ],
)
def test_whole_run_is_judged_by_value(text: str, value: float, holds: bool) -> None:
    found = outcome(text)
    assert found.value == pytest.approx(value)
    assert found.outcome == ("holds" if holds else "fails")
    assert exit_failed([found]) is not holds


def test_every_metric_of_the_catalogue_can_be_judged() -> None:
    for name in (each for each in NAMES if each not in QUALITIES):
        at = "@1" if name in ("pass", "robust_pass") else ""
        assert outcome(f"{name}{at} >= 0").outcome == "holds"


def test_threshold_that_equals_the_value_holds_whatever_the_last_bit_says() -> None:
    # 40 and 34 of HumanEval's 164: (40/164 - 34/164) / (40/164) is 0.15000000000000002 in floats.
    table: dict[str, dict[str, Outcome]] = {
        f"T/{i}": {"clean": int(i < 40), "C1-s0": int(i < 34)} for i in range(164)
    }
    found = outcome("rd[C1] <= 0.15", suite_run(table))
    assert found.value is not None
    assert found.value > 0.15
    assert found.outcome == "holds"
    assert outcome("rd[C1] < 0.15", suite_run(table)).outcome == "fails"
    assert outcome("rd[C1] >= 0.15", suite_run(table)).outcome == "holds"


@pytest.mark.parametrize("text", ["pass@1 >= 0", "rd <= 1", "broken <= 99", "unusable <= 99"])
def test_partial_run_is_never_judged(text: str) -> None:
    found = outcome(text, suite_run(TABLE, incomplete="3 of 8 items deselected"))
    assert (found.outcome, found.reason) == ("not judged", "3 of 8 items deselected")
    assert found.value is not None
    assert exit_failed([found])


def test_run_that_hides_a_missing_item_is_not_judged_either() -> None:
    run = suite_run(TABLE)
    found = outcome("pass@1 >= 0", replace(run, observations=run.observations[:-1]))
    assert (found.outcome, found.reason) == ("not judged", "1 of 8 items not measured")


def test_undefined_rd_is_not_judged() -> None:
    run = suite_run({"T/0": {"clean": 0, "C1-s0": 1}})
    found = outcome("rd[C1] <= 1", run)
    assert (found.outcome, found.value) == ("not judged", None)
    assert found.reason == "rd is undefined: the clean pass@1 is 0"


@pytest.mark.parametrize("text", ["rd[C1] <= 1", "broken[C1] <= 9", "pass@1[all] >= 0"])
def test_gate_over_nothing_measured_is_not_judged(text: str) -> None:
    run = suite_run({"T/0": {"clean": 1, "C1-s0": "skip"}})
    found = outcome(text, run)
    assert found.outcome == "not judged"
    assert found.reason.startswith("nothing was measured under")
    assert exit_failed([found])


def test_suite_total_over_nothing_observed_is_not_judged() -> None:
    run = replace(suite_run(TABLE), observations=(), tasks=())
    assert outcome("unusable <= 3", run).outcome == "not judged"


def test_unusable_tasks_alone_leave_nothing_to_judge() -> None:
    run = suite_run({"T/0": {"clean": "unusable", "C1-s0": "unusable"}})
    assert outcome("pass@1 >= 0", run).outcome == "not judged"
    assert outcome("unusable <= 0", run).outcome == "fails"


def test_condition_that_was_not_planned_is_not_judged() -> None:
    found = outcome("rd[W1] <= 1")
    assert (found.outcome, found.reason) == ("not judged", "W1 was not planned")


def test_rd_without_k_means_the_smallest_k() -> None:
    run = suite_run({"T/0": {"clean": 4, "C1-s0": 2}}, n=4, ks=(2, 1))
    assert outcome("rd <= 1", run).value == pytest.approx(0.5)
    assert outcome("rd@2 <= 1", run).value == pytest.approx(1 / 6)


def made(word: str, inconclusive: str = "fail") -> GateOutcome:
    gate = parse_gate({"gate": "rd <= 0.1", "inconclusive": inconclusive}, "toy.toml")
    return GateOutcome(gate, word)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcomes", "failed"),
    [
        ([], False),
        ([made("holds")], False),
        ([made("holds"), made("fails")], True),
        ([made("not judged")], True),
        ([made("not judged", "pass")], True),
        ([made("fails", "pass")], True),
        ([made("inconclusive")], True),
        ([made("inconclusive", "pass")], False),
        ([made("inconclusive", "pass"), made("fails")], True),
        ([made("off")], False),
        ([made("off"), made("off")], False),
    ],
)
def test_exit_table(outcomes: list[GateOutcome], failed: bool) -> None:
    assert exit_failed(outcomes) is failed


def test_switched_off_gates_keep_their_value_and_have_no_say() -> None:
    failing = outcome("rd <= 0.1")
    (off,) = switch_off([failing])
    assert (off.outcome, off.value, off.gate) == ("off", failing.value, failing.gate)
    assert exit_failed([failing])
    assert not exit_failed([off])


def test_gates_keep_their_order() -> None:
    run = suite_run(TABLE)
    gates = [parse_gate(text, "toy.toml") for text in ("rd <= 1", "pass@1 >= 0", "broken <= 9")]
    assert [found.gate for found in decide(gates, summarise(run), run)] == gates


def whole(n: int, solved: int) -> SuiteRun:
    return suite_run({f"T/{i}": {"clean": int(i < solved)} for i in range(n)})


@pytest.mark.parametrize(
    ("text", "solved", "word"),
    # Wilson's 95 % interval of 60 of 100 is 0.502 to 0.691; at 99 % it is 0.471 to 0.716.
    [
        ("pass@1 >= 0.50", 60, "holds"),
        ("pass@1 >= 0.51", 60, "inconclusive"),
        ("pass@1 >= 0.69", 60, "inconclusive"),
        ("pass@1 >= 0.70", 60, "fails"),
        ("pass@1 <= 0.70", 60, "holds"),
    ],
)
def test_gate_with_a_confidence_is_decided_by_the_whole_interval(
    text: str, solved: int, word: str
) -> None:
    found = outcome({"gate": text, "confidence": 0.95}, whole(100, solved))
    assert found.outcome == word
    assert found.interval is not None
    assert found.interval.low == pytest.approx(0.5020, abs=5e-5)
    assert outcome(text, whole(100, solved)).outcome in ("holds", "fails")


def test_confidence_of_a_gate_widens_its_own_interval() -> None:
    found = outcome({"gate": "pass@1 >= 0.50", "confidence": 0.99}, whole(100, 60))
    assert found.outcome == "inconclusive"
    assert found.reason == "the 99 % interval, 0.471 to 0.716, holds the threshold"


def test_partial_run_is_not_judged_whatever_the_confidence() -> None:
    run = replace(whole(100, 100), incomplete="stopped")
    assert outcome({"gate": "pass@1 >= 0.5", "confidence": 0.95}, run).outcome == "not judged"
