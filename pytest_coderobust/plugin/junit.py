"""Gates and statuses in pytest's own JUnit XML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from _pytest.junitxml import xml_key

from pytest_coderobust.gates import GateOutcome
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.junit import judge_gate, list_properties
from pytest_coderobust.results.conclusion import SuiteReport


def add_gates(config: pytest.Config, reports: Sequence[SuiteReport]) -> None:
    """Adds each gate as a test case, and what holds for a suite as properties of the file.

    Only the XML writer hears of these cases: pytest's own counts stay those of its items.
    """
    xml = config.stash.get(xml_key, None)
    if xml is None:
        return
    for report in reports:
        for name, value in list_properties(report):
            xml.add_global_property(name, value)
        for number, outcome in enumerate(report.gates):
            for told in make_gate_reports(report.origin.reference, number, outcome):
                # A node id with brackets of its own is not told apart from parameters.
                xml.node_reporter(told).add_attribute("name", escape(outcome.gate.text))
                xml.pytest_runtest_logreport(told)


def make_gate_reports(
    reference: str, number: int, outcome: GateOutcome
) -> Iterator[pytest.TestReport]:
    """Makes the reports that pytest would write of a gate if it were a test."""
    verdict, message = judge_gate(outcome)
    nodeid = f"{reference}::gates::{number}"
    where = (reference, None, nodeid)
    failure: str | tuple[str, int, str] | None = None
    if verdict != "passed":
        failure = message if verdict == "failed" else (reference, 0, message)
    yield pytest.TestReport(nodeid, where, {}, verdict, failure, "call")
    yield pytest.TestReport(nodeid, where, {}, "passed", None, "teardown")


def keeps_properties(config: pytest.Config) -> bool:
    """Whether a test may carry properties: the schema of the xunit2 family forbids them."""
    writes = bool(getattr(config.option, "xmlpath", None))
    return not writes or config.getini("junit_family") != "xunit2"
