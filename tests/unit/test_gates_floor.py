from __future__ import annotations

import pytest
from support.metrics_runs import Outcome, suite_run

from pytest_coderobust.gates import GateOutcome, decide, parse_gate
from pytest_coderobust.gates.noise_floor import heed_floor
from pytest_coderobust.metrics.noise_floor import NoiseFloor
from pytest_coderobust.metrics.summary import summarise

TABLE: dict[str, dict[str, Outcome]] = {
    f"T/{i}": {"clean": int(i < 20), "C1-s0": int(i < 19)} for i in range(40)
}
SEEDS = NoiseFloor(1, 40, ((1, 0.5), (8, 0.5)), ((0, 0.5), (1, 0.54), (2, 0.49)))


def outcome(source: object, floor: NoiseFloor = SEEDS) -> GateOutcome:
    run = suite_run(TABLE)
    summary = summarise(run)
    (found,) = heed_floor(decide([parse_gate(source, "toy")], summary, run), floor, summary)
    return found


def test_floor_is_the_largest_of_its_three_parts() -> None:
    assert (SEEDS.value, SEEDS.source) == (pytest.approx(0.05), "sampling seeds")
    batches = NoiseFloor(1, 40, ((1, 0.50), (8, 0.56)), ((0, 0.5),))
    assert (batches.value, batches.source) == (pytest.approx(0.06), "batch sizes")
    still = NoiseFloor(1, 40, ((1, 0.5), (8, 0.5)), ((0, 0.5),))
    assert (still.value, still.source) == (1 / 40, "one task")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("pass@1 >= 0.40", "holds"),
        ("pass@1 >= 0.05", "holds"),
        ("pass@1 >= 0.04", "not judged"),
        ("pass@1 >= 0.96", "not judged"),
        ("pass@1 >= 0", "holds"),  # says nothing, and says it surely
        ("rd <= 0.11", "holds"),  # half of the clean prompts pass: RD's floor is 0.1
        ("rd <= 0.09", "not judged"),
        ("robust_drop <= 0.09", "not judged"),
        ("robust_relative <= 0.05", "holds"),
        ("robust_relative <= 0.04", "not judged"),
        ("broken <= 1", "holds"),
    ],
)
def test_threshold_finer_than_the_floor_is_refused(text: str, word: str) -> None:
    assert outcome(text).outcome == word


def test_reason_says_how_to_go_on() -> None:
    assert outcome("rd <= 0.02").reason == (
        "what it allows, 0.02, is finer than the noise floor of 0.1 (sampling seeds); "
        'allow more, or say floor = "ignore"'
    )


def test_gate_may_ignore_the_floor() -> None:
    assert outcome({"gate": "rd <= 0.06", "floor": "ignore"}).outcome == "holds"
