"""Eligible tasks of a suite with API changes: judged in the old world at the end of a session."""

from __future__ import annotations

from dataclasses import replace

from pytest_coderobust.results.result import DecidedRun
from pytest_coderobust.session.resources import Resources
from pytest_coderobust.session.suite import SuiteSession


def add_eligible(
    resources: Resources, suite: SuiteSession, run: str, result: DecidedRun
) -> DecidedRun:
    """The suite joined by what became of its eligible tasks; no gate changes.

    A suite without changes is left as it is, and so is an edited model: the habit is the unedited
    one's. The model is not opened, because its answers are in the ledger.

    Args:
        run: the key of the observations in the ledger.

    Raises:
        CodeRobustError: the harness failed.
    """
    observations = result.run.observations
    if not any(each.adoptions for each in observations) or suite.plan.config.edit.editors:
        return result
    from pytest_coderobust.engine.old_world import count_in_old_world

    judge, ledger = resources.verdicts, resources.ledger
    eligible = count_in_old_world(suite.plan, judge, ledger, run, observations, resources.listen)
    return replace(result, summary=replace(result.summary, eligible=eligible))
