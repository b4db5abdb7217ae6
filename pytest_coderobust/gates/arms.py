"""Gates of a study of API migration: the bracket names the arm.

    stale[none] <= 0.05    adoption[note] >= 0.8    regressions[lora] <= 2    pass@1[codemod] > 0.5

`stale` and `pass` are shares of the samples of generalisation tasks: the same change, asked
elsewhere. `adoption` is that of the eligible ones, where the unedited model used the API and
passed. `regressions` counts the specificity tasks that some edit of the arm loses. After successive
edits all are read at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from pytest_coderobust.errors import ConfigError, nearest
from pytest_coderobust.gates.gate import Gate, GateDecision, Operator, holds
from pytest_coderobust.gates.grammar import GRAMMAR
from pytest_coderobust.migration.study.result import ArmResult, StudyResult
from pytest_coderobust.migration.study.subsets import SubsetResult

ARM_EXAMPLE = "'stale[none] <= 0.05' or 'regressions[lora] <= 2'"
ARM_RATES: Mapping[str, Callable[[SubsetResult, int], float | None]] = {
    "stale": lambda found, _: found.adoption.stale_rate.value if found.adoption else None,
    "adoption": lambda found, _: (
        found.eligible.adoption.value if found.eligible and found.eligible.adoption else None
    ),
    "pass": lambda found, k: next((r.passed.value for r in found.rates if r.k == k), None),
}
COUNT = "regressions"
ARM_METRICS = (*ARM_RATES, COUNT)


@dataclass(frozen=True, slots=True)
class ArmGateOutcome:
    """The outcome of a gate about an arm.

    Attributes:
        reason: why it was not judged; else "".
    """

    gate: Gate
    outcome: GateDecision
    value: float | None = None
    reason: str = ""

    @property
    def fails(self) -> bool:
        """True where it asks for exit status 1."""
        return self.outcome != "holds"


def parse_arm_gates(
    texts: Iterable[str], arms: Sequence[str], ks: Sequence[int], where: str
) -> tuple[Gate, ...]:
    """Reads the gates of a study.

    Args:
        arms: the names of the study's arms.
        ks: the study's.
        where: file, section and key, to begin an error with.

    Raises:
        ConfigError: one is not valid, names no metric or arm, or can never matter.
    """
    return tuple(parse_arm_gate(text, arms, ks, where) for text in texts)


def parse_arm_gate(text: str, arms: Sequence[str], ks: Sequence[int], where: str) -> Gate:
    """Reads one gate; errors as `parse_arm_gates`."""
    match = GRAMMAR.fullmatch(text.strip())
    if not match or match["base"] or not match["condition"]:
        raise ConfigError(
            f"{where}: {text!r} is not a valid gate of a study: METRIC[@K][ARM], one of "
            f"<= >= < >, and a number, like {ARM_EXAMPLE}"
        )
    metric, arm, k = match["metric"], match["condition"], int(match["k"] or min(ks))
    if metric not in ARM_METRICS:
        raise ConfigError(
            f"{where}: unknown metric {metric!r} in {text!r}{nearest(metric, ARM_METRICS)}"
        )
    if match["k"] and metric != "pass":
        raise ConfigError(f"{where}: {metric} in {text!r} takes no @{k}")
    if arm not in arms:
        raise ConfigError(f"{where}: {text!r} is about no arm of the study{nearest(arm, arms)}")
    if metric == "pass" and k not in ks:
        known = ", ".join(map(str, ks))
        raise ConfigError(f"{where}: {text!r} asks for k = {k}, and the suite measures k = {known}")
    threshold = float(match["number"])
    if metric == COUNT and (threshold < 0 or not threshold.is_integer()):
        raise ConfigError(f"{where}: {metric} in {text!r} is a count: its threshold is whole")
    if metric != COUNT and not 0 <= threshold <= 1:
        raise ConfigError(f"{where}: {metric} in {text!r} is a share between 0 and 1 (5 % is 0.05)")
    operator = cast("Operator", match["operator"])
    return Gate(text.strip(), metric, k, arm, operator, threshold)


def decide_arms(gates: Iterable[Gate], study: StudyResult) -> tuple[ArmGateOutcome, ...]:
    """Decides the gates of a study; one about a number that is not there is not judged."""
    return tuple(_decide(gate, study.arm(gate.condition)) for gate in gates)


def _decide(gate: Gate, arm: ArmResult | None) -> ArmGateOutcome:
    assert arm is not None, "a gate's arm is one of the study's"
    value, reason = _read(gate, arm)
    if value is None:
        return ArmGateOutcome(gate, "not judged", None, reason)
    return ArmGateOutcome(gate, "holds" if holds(gate, value) else "fails", value)


def _read(gate: Gate, arm: ArmResult) -> tuple[float | None, str]:
    if arm.kind in ("editor", "control") and arm.edits and arm.refused == len(arm.edits):
        return None, f"no edit was made: {arm.edits[0].refused}"
    if gate.metric == COUNT:
        found = arm.final.regressions
        if found is None:
            return None, "the benchmark has no specificity tasks"
        return float(len(found.lost_tasks)), ""
    asked = arm.final.subset("generalisation")
    if asked is None:
        return None, "the benchmark has no generalisation tasks"
    value = ARM_RATES[gate.metric](asked, gate.k or 1)
    why = "the unedited model uses the API and passes in none of the tasks"
    return value, "" if value is not None else why
