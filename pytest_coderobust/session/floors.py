"""`--noise-floor`: the re-runs at the end of a session, and the gates that they refuse."""

from __future__ import annotations

from dataclasses import replace

from pytest_coderobust.errors import UsageError
from pytest_coderobust.gates import switch_off
from pytest_coderobust.results.result import DecidedRun
from pytest_coderobust.session.resources import Resources
from pytest_coderobust.session.suite import SuiteSession


def add_floor(
    resources: Resources, suite: SuiteSession, result: DecidedRun, digest: str = ""
) -> DecidedRun:
    """The suite joined by its noise floor; gates whose threshold is finer are refused.

    Args:
        digest: of the run, whose bill has the floor's requests, too.

    Raises:
        CodeRobustError: the harness failed, or the suite cannot be re-run.
    """
    from pytest_coderobust.engine.noise_floor import measure_floor
    from pytest_coderobust.gates.noise_floor import heed_floor

    run, summary = result.run, result.summary
    plan = suite.plan
    if summary.incomplete or run.incomplete:
        raise UsageError(f"--noise-floor of {run.suite}: not measured on a part of a run")
    if plan.config.edit.editors:
        raise UsageError(
            f"--noise-floor of {run.suite}: an edited model is not re-run; "
            "measure the floor of the model before it is edited"
        )
    shared = resources
    floor = measure_floor(
        plan, shared.backend, shared.verdicts, shared.ledger, shared.listen, shared.guard, digest
    )
    if run.bill is not None:
        run = replace(run, bill=shared.ledger.bills.of_run(digest))
    summary = replace(summary, floor=floor)
    gates = heed_floor(result.gates, floor, summary)
    return DecidedRun(run, summary, gates if shared.choices.gates else switch_off(gates))
