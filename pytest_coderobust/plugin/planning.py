"""The plan of a run on the terminal, in the place of the run."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_coderobust.errors import CodeRobustError
from pytest_coderobust.reporting.terminal.forecast import describe_forecast
from pytest_coderobust.session.planning import make_forecasts
from pytest_coderobust.session.session import Session


def print_plan(session: pytest.Session, state: Session) -> bool:
    """Prints what the selected items would ask and cost; no item is run.

    Raises:
        pytest.UsageError: a suite cannot be read, or the server cannot be probed.
    """
    if session.config.pluginmanager.hasplugin("dsession"):
        raise pytest.UsageError("--coderobust-plan asks nothing, in one process: leave -n out")
    reporter: Any = session.config.pluginmanager.getplugin("terminalreporter")
    try:
        forecasts = make_forecasts(state, state.wanted, probe=state.choices.plan == "probe")
    except CodeRobustError as error:
        raise pytest.UsageError(str(error)) from None
    for forecast in forecasts:
        for line in describe_forecast(forecast):
            reporter.write_line(line)
    if not forecasts:
        reporter.write_line("coderobust: no suite is selected, and nothing would be asked")
    return True
