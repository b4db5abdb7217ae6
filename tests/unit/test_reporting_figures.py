"""Numbers and reasons as phrases of the HTML page, the Markdown and the JUnit file."""

from __future__ import annotations

from pytest_coderobust.gates import GateOutcome
from pytest_coderobust.gates.grammar import parse_gate
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.reporting.figures import explain_gate


def test_interval_of_a_gate_is_told_once() -> None:
    gate = parse_gate({"gate": "rd[C1] <= 0.3", "confidence": 0.95}, "here")
    found = Estimate(0.4, 0.16, 0.5)
    assert explain_gate(GateOutcome(gate, "fails", 0.4, interval=found)) == (
        "measured 0.4, 0.160 to 0.500"
    )
    reason = "the 95 % interval, 0.16 to 0.5, holds the threshold"
    assert explain_gate(GateOutcome(gate, "inconclusive", 0.34, reason, found)) == (
        f"measured 0.34; {reason}"
    )
