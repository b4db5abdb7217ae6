"""Numbers and reasons as phrases of the HTML page, the Markdown and the JUnit file."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.metrics_runs import Outcome
from support.report_runs import make_report

from pytest_coderobust.gates import GateOutcome
from pytest_coderobust.gates.grammar import parse_gate
from pytest_coderobust.metrics.interval import Estimate
from pytest_coderobust.reporting.figures import explain_gate
from pytest_coderobust.reporting.html.view import list_left_out
from pytest_coderobust.reporting.markdown.report import render as render_markdown
from pytest_coderobust.reporting.terminal.report import render as render_terminal


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


NO_RD = "no clean prompt is solved: RD says nothing, because there is nothing to lose"


@pytest.mark.parametrize(("clean", "told"), [(0, True), (1, False)])
def test_where_no_clean_prompt_is_solved_rd_says_nothing(
    clean: int, told: bool, tmp_path: Path
) -> None:
    table: dict[str, dict[str, Outcome]] = {
        "a/1": {"clean": clean, "C1-s0": 1},
        "a/2": {"clean": 0, "C1-s0": 0},
    }
    report = make_report(tmp_path, table)
    page = " ".join(render_terminal([report], 200, colour=False).split())
    assert (NO_RD in page) is told
    assert (NO_RD in render_markdown([report])) is told
    assert (NO_RD in list_left_out(report)) is told
