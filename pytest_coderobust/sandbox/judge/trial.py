"""Runs trusted tests in this process, against a proxy of the candidate."""

from __future__ import annotations

import random
from typing import Any

from pytest_coderobust.sandbox.cage.vocabulary import seed
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.asserts import GUARDS, Suite
from pytest_coderobust.sandbox.judge.outcome import FAILURES, Outcomes


def run_tests(check: Check, suite: Suite, outcomes: Outcomes, candidate: Any) -> bool:
    """Runs the tests against `candidate`; True when they came to their end.

    Every failure lands in `outcomes`.
    """
    random.seed(0)  # some data sets draw their inputs: the same ones for every solution
    seed(0)
    namespace: dict[str, Any] = {"__name__": "tests", GUARDS: outcomes.guards}
    try:
        exec(suite.helpers, namespace)  # noqa: S102  the data set's own code, never the candidate's
        namespace[check.entry_point] = candidate
        exec(suite.code, namespace)  # noqa: S102
        if check.tests.style == "check":
            namespace["check"](candidate)
    except FAILURES as error:
        outcomes.note(error)
        return False
    return True
