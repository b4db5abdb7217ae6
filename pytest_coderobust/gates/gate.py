"""A gate and its outcome: one threshold, one decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pytest_coderobust.metrics.interval import Estimate

Operator = Literal["<=", ">=", "<", ">"]
GateDecision = Literal["holds", "fails", "not judged", "inconclusive", "off"]
Inconclusive = Literal["fail", "pass"]
FloorRule = Literal["heed", "ignore"]

TOLERANCE = 1e-9
"""Values this near to a threshold equal it: with 40 and then 34 of 164 tasks, RD is
0.15000000000000002 in floating point and 0.15 to everybody else."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One threshold.

    Attributes:
        text: as the user wrote it.
        k: None where the gate names none: the suite's smallest.
        condition: as written, or the metric's own default.
        inconclusive: the meaning of an inconclusive outcome for the exit status.
        confidence: None decides by the value alone; else the gate holds or fails only where the
            whole interval at this confidence does, and is inconclusive where it straddles.
        floor: whether a threshold below a measured noise floor is refused.
        base: about the model before it was edited.
    """

    text: str
    metric: str
    k: int | None
    condition: str
    operator: Operator
    threshold: float
    inconclusive: Inconclusive = "fail"
    confidence: float | None = None
    floor: FloorRule = "heed"
    base: bool = False


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """The outcome of a gate.

    Attributes:
        value: the metric, or None where it is undefined or nothing was measured.
        interval: the interval that decided a gate with a confidence.
        reason: why the gate was not judged, or is inconclusive; else "".
    """

    gate: Gate
    outcome: GateDecision
    value: float | None = None
    reason: str = ""
    interval: Estimate | None = None

    @property
    def fails_session(self) -> bool:
        """True where this outcome asks for exit status 1."""
        return self.outcome in ("fails", "not judged") or (
            self.outcome == "inconclusive" and self.gate.inconclusive == "fail"
        )


def holds(gate: Gate, value: float) -> bool:
    """Says whether the value meets the threshold; within `TOLERANCE` the two are equal."""
    excess = value - gate.threshold
    compared: dict[Operator, Callable[[], bool]] = {
        "<=": lambda: excess <= TOLERANCE,
        ">=": lambda: excess >= -TOLERANCE,
        "<": lambda: excess < -TOLERANCE,
        ">": lambda: excess > TOLERANCE,
    }
    return compared[gate.operator]()
