"""The end of a session, seen from its model: a last look at one that is served."""

from __future__ import annotations

import pytest

from pytest_coderobust.errors import CodeRobustError
from pytest_coderobust.plugin.outcome import Findings
from pytest_coderobust.plugin.stash import SESSION


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
            output["coderobust_trouble"] = str(error)
