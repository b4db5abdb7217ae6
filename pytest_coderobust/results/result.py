"""The result of one suite: its run, the numbers of the run, and the gates decided on them."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_coderobust.gates import GateOutcome
from pytest_coderobust.metrics.summary import Summary
from pytest_coderobust.records import SuiteRun

__all__ = ["DecidedRun", "GateOutcome"]


@dataclass(frozen=True, slots=True)
class DecidedRun:
    """One suite's run with its numbers and its decisions: the input of every report."""

    run: SuiteRun
    summary: Summary
    gates: tuple[GateOutcome, ...]
