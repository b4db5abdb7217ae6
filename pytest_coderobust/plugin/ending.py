"""The end of a session: a last look at a model that is served, and what workers of xdist found."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pytest_coderobust.errors import CodeRobustError
from pytest_coderobust.plugin.outcome import Findings
from pytest_coderobust.plugin.stash import SESSION

TROUBLE, REFUSAL = "coderobust_trouble", "coderobust_refusal"
"""Keys under which a worker of xdist tells its controller what went wrong."""


def finish_asking(session: pytest.Session, findings: Findings) -> None:
    """Looks at a served model for the last time, and keeps the trouble that this shows.

    Where something else went wrong already there is no look: the next session looks first.
    """
    ended = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    if session.shouldstop or session.exitstatus not in ended:
        return
    try:
        session.config.stash[SESSION].finish()
    except CodeRobustError as error:
        if not any(str(error) in told for told in findings.errors):
            findings.errors.append(str(error))
        output: dict[str, str] | None = getattr(session.config, "workeroutput", None)
        if output is not None:  # a worker of xdist has no report of its own
            output[TROUBLE] = str(error)


def refuse_in_worker(config: pytest.Config, told: str) -> None:
    """Refuses the session from a worker of xdist, which cannot end it; it must have no items."""
    output: dict[str, str] = vars(config)["workeroutput"]
    output[REFUSAL] = told


def hear_worker(output: Mapping[str, str], findings: Findings) -> None:
    """Takes note of what a worker of xdist said at its end.

    Raises:
        pytest.UsageError: the worker refused the session.
    """
    if refusal := output.get(REFUSAL):
        raise pytest.UsageError(refusal)
    if trouble := output.get(TROUBLE):
        findings.errors.append(trouble)
