"""`--noise-floor`: the re-runs at the end of a session, and the gates that they refuse."""

from __future__ import annotations

from dataclasses import replace

from pytest_coderobust.errors import UsageError
from pytest_coderobust.gates import switch_off
from pytest_coderobust.plugin.session import CodeRobust
from pytest_coderobust.results.result import SuiteResult


def with_floor(state: CodeRobust, reference: str, result: SuiteResult) -> SuiteResult:
    """The suite joined by its noise floor; gates whose threshold is finer are refused.

    Raises:
        CodeRobustError: the harness failed, or the suite cannot be re-run.
    """
    from pytest_coderobust.engine.noise_floor import measure_floor
    from pytest_coderobust.gates.noise_floor import heed_floor

    run, summary = result.run, result.summary
    plan = state.plan(reference)
    if summary.incomplete or run.incomplete:
        raise UsageError(f"--noise-floor of {run.suite}: not measured on a part of a run")
    if plan.config.edit.editors:
        raise UsageError(
            f"--noise-floor of {run.suite}: an edited model is not re-run; "
            "measure the floor of the model before it is edited"
        )
    floor = measure_floor(plan, state.backend, state.judge, state.ledger, state.listen)
    summary = replace(summary, floor=floor)
    outcomes = heed_floor(result.gates, floor, summary)
    return SuiteResult(run, summary, outcomes if state.choices.gates else switch_off(outcomes))
