"""The gate of a baseline: the run must not be worse by more than the margin."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_coderobust.config.baseline import BaselineRule
from pytest_coderobust.gates.gate import Gate, GateDecision, GateOutcome
from pytest_coderobust.metrics.baseline import Baseline, name_changed_parts
from pytest_coderobust.metrics.comparison import ComparisonVerdict, RunComparison
from pytest_coderobust.metrics.paired import compare, count_squares
from pytest_coderobust.metrics.summary import Summary
from pytest_coderobust.records import SuiteRun

METRIC = "baseline"
WORDS: Mapping[ComparisonVerdict, GateDecision] = {
    "regressed": "fails",
    "not worse": "holds",
    "inconclusive": "inconclusive",
}


def make_baseline_gate(rule: BaselineRule, run: SuiteRun) -> Gate:
    """Makes the gate as reports show it; its value is the worst change of pass@k."""
    return Gate(
        text=f"not worse than the baseline by {rule.margin:g}",
        metric=METRIC,
        k=min(run.ks),
        condition="",
        operator=">=",
        threshold=-rule.margin,
        inconclusive=rule.inconclusive,
    )


def compare_with_baseline(
    baseline: Baseline | str, rule: BaselineRule, run: SuiteRun, summary: Summary
) -> tuple[GateOutcome, RunComparison | None]:
    """Compares the run with its baseline; a part of a run, or another suite, is not compared.

    Args:
        baseline: the baseline, or the reason why there is none.
    """
    gate = make_baseline_gate(rule, run)
    reason = baseline if isinstance(baseline, str) else explain_refusal(baseline, run, summary)
    if isinstance(baseline, str) or reason:
        # Where the budget ended the run nothing went wrong, and the gate is open, not unjudged.
        spent = run.course is not None and run.course.ended == "budget"
        return GateOutcome(gate, "inconclusive" if spent else "not judged", None, reason), None
    found = compare(baseline.counts, count_squares(run), run, rule.margin)
    if not found.deciding:
        return GateOutcome(gate, "not judged", None, "the runs share no measured task"), found
    worst = min(found.deciding, key=lambda change: change.change)
    reason = ""
    if found.verdict == "inconclusive":
        least = max(change.detectable for change in found.deciding)
        reason = (
            f"{worst.condition} changed by {worst.low:+.2g} to {worst.high:+.2g}; a run like this "
            f"detects a loss of {least:.2g}, more samples or tasks a smaller one"
        )
    return GateOutcome(gate, WORDS[found.verdict], worst.change, reason), found


def explain_refusal(baseline: Baseline, run: SuiteRun, summary: Summary) -> str:
    """Explains why the run is not compared; "" where it is."""
    if summary.incomplete or run.incomplete:
        return summary.incomplete or run.incomplete
    changed = name_changed_parts(baseline, run)
    if changed:
        return f"not comparable: {changed} changed since the baseline was written"
    return ""
