"""Eligible tasks of a suite with API changes: judged in the old world at the end of a session."""

from __future__ import annotations

from dataclasses import replace

from pytest_coderobust.results.result import SuiteResult
from pytest_coderobust.session.resources import Resources
from pytest_coderobust.session.suite import SuiteSession


def add_eligible(resources: Resources, suite: SuiteSession, result: SuiteResult) -> SuiteResult:
    """The suite joined by what became of its eligible tasks; no gate changes.

    A suite without changes and an edited model are left as they are: an edited model was asked in
    another way than before the change.

    Raises:
        CodeRobustError: the harness failed.
    """
    run = result.run
    if not any(each.adoptions for each in run.observations) or suite.plan.config.edit.editors:
        return result
    from pytest_coderobust.engine.measurement import Measurement
    from pytest_coderobust.engine.old_world import count_in_old_world

    measurement = suite.measurement
    assert isinstance(measurement, Measurement)
    judge, ledger = resources.verdicts, resources.ledger
    eligible = count_in_old_world(measurement, judge, ledger, run.observations)
    return replace(result, summary=replace(result.summary, eligible=eligible))
