"""Refusal of thresholds finer than the noise floor, which would decide by chance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pytest_coderobust.gates.gate import TOLERANCE, Gate, GateOutcome
from pytest_coderobust.metrics.noise_floor import NoiseFloor
from pytest_coderobust.metrics.summary import Summary

RELATIVE = ("rd", "robust_drop")
"""Metrics that are shares of the clean pass@k, as their floor then is."""

SHARES = ("pass", "robust_pass")


def heed_floor(
    outcomes: Iterable[GateOutcome], floor: NoiseFloor, summary: Summary
) -> tuple[GateOutcome, ...]:
    """Refuses the outcomes whose threshold is too fine, and keeps the others."""
    return tuple(refuse_fine_gate(found, floor, summary) for found in outcomes)


def refuse_fine_gate(found: GateOutcome, floor: NoiseFloor, summary: Summary) -> GateOutcome:
    """Turns an outcome into "not judged" where its threshold is below the floor."""
    allowed = measure_allowance(found.gate)
    least = convert_floor(found.gate, floor, summary)
    if found.gate.floor == "ignore" or allowed is None or allowed >= least - TOLERANCE:
        return found
    reason = (
        f"what it allows, {allowed:.3g}, is finer than the noise floor of {least:.3g} "
        f'({floor.source}); allow more, or say floor = "ignore"'
    )
    return replace(found, outcome="not judged", reason=reason)


def measure_allowance(gate: Gate) -> float | None:
    """Measures the loss that a gate allows; None for a gate about counts, or one that always holds.

    A drop may reach its threshold. A pass rate that must reach 0.9 may lose 0.1; one that must
    reach 0.1 is 0.1 above zero.
    """
    if gate.metric in SHARES:
        always = gate.threshold <= 0 if gate.operator in (">=", ">") else gate.threshold >= 1
        return None if always else min(gate.threshold, 1 - gate.threshold)
    if gate.metric in (*RELATIVE, "robust_relative", "baseline"):
        return abs(gate.threshold)
    return None


def convert_floor(gate: Gate, floor: NoiseFloor, summary: Summary) -> float:
    """Converts the floor to the gate's unit: RD moves by the floor over the clean pass@k."""
    if gate.metric not in RELATIVE:
        return floor.value
    clean = summary.conditions[0].scores[floor.k].pass_at_k
    return floor.value / clean.value if clean and clean.value else floor.value
