"""Gates: thresholds that a release must meet, read with the configuration, decided at the end.

    METRIC[@K][[CONDITION]][@base] OP NUMBER        rd[C1] <= 0.15      pass@1 >= 0.30

"@base" asks about the model before it was edited; a model that was not edited is its own base.

Only this package decides. A gate holds or fails on a whole run alone: on anything less it is "not
judged", which counts against the exit status like a failure.
"""

from __future__ import annotations

from pytest_coderobust.gates.decisions import decide, exit_failed, switch_off
from pytest_coderobust.gates.gate import TOLERANCE, Gate, GateDecision, GateOutcome, holds
from pytest_coderobust.gates.grammar import check_gates, parse_gate

__all__ = [
    "TOLERANCE",
    "Gate",
    "GateDecision",
    "GateOutcome",
    "check_gates",
    "decide",
    "exit_failed",
    "holds",
    "parse_gate",
    "switch_off",
]
