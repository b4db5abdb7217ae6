"""The comparison of a report with an earlier run of its suite, from any ledger."""

from __future__ import annotations

from dataclasses import replace

from pytest_coderobust.config.baseline import BaselineRule
from pytest_coderobust.errors import UsageError
from pytest_coderobust.gates.regression import compare_with_baseline
from pytest_coderobust.metrics.baseline import Baseline, describe_measurement
from pytest_coderobust.metrics.comparison import RunComparison
from pytest_coderobust.metrics.paired import count_squares
from pytest_coderobust.results.conclusion import SuiteReport


def join_comparison(report: SuiteReport, earlier: SuiteReport, margin: float) -> SuiteReport:
    """Adds the comparison to a report; its gates stay as they were decided.

    Args:
        margin: the loss of pass@k that still counts as not worse.

    Raises:
        UsageError: one of the runs is partial, or they measured different things.
    """
    comparison, reason = compare_reports(report, earlier, margin)
    if comparison is None:
        raise UsageError(f"{report.run.suite} cannot be compared: {reason}")
    summary = replace(report.summary, comparison=comparison)
    return replace(report, result=replace(report.result, summary=summary))


def compare_reports(
    report: SuiteReport, earlier: SuiteReport, margin: float
) -> tuple[RunComparison | None, str]:
    """Compares a report with an earlier one; None with the reason where that cannot be done."""
    if earlier.summary.incomplete:
        return None, f"the earlier run is partial: {earlier.summary.incomplete}"
    baseline = Baseline(
        suite=earlier.run.suite,
        model=earlier.run.model.name,
        fingerprint=earlier.run.model.digest,
        measured=describe_measurement(earlier.run),
        counts=count_squares(earlier.run),
    )
    outcome, comparison = compare_with_baseline(
        baseline, BaselineRule(margin), report.run, report.summary
    )
    return comparison, outcome.reason if comparison is None else ""
