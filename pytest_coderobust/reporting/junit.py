"""The JUnit XML of gates and items, and a whole file of them, written without pytest.

A session writes through pytest's own `--junitxml` and shares these functions, so that a gate is a
test case in both, and shows wherever a CI system lists failed tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal
from xml.etree import ElementTree as ET

from pytest_coderobust.records import IDENTITY, Observation
from pytest_coderobust.reporting.figures import explain_gate
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.results.conclusion import SuiteReport
from pytest_coderobust.results.result import GateOutcome

JUnitVerdict = Literal["passed", "failed", "skipped"]

LINE = 500


def judge_gate(found: GateOutcome) -> tuple[JUnitVerdict, str]:
    """Judges a gate as a test: it fails exactly where it makes the session fail."""
    reason = explain_gate(found)
    message = escape(f"{found.outcome}: {reason}" if reason else found.outcome, LINE)
    if found.fails_session:
        return "failed", message
    return ("passed" if found.outcome == "holds" else "skipped"), message


def list_properties(report: SuiteReport) -> Iterator[tuple[str, str]]:
    """Lists the facts of a whole suite, as properties."""
    run, summary = report.run, report.summary
    prefix = f"coderobust.{escape(run.suite, LINE)}"
    yield f"{prefix}.model", escape(run.model.name, LINE)
    yield f"{prefix}.fingerprint", escape(run.model.digest, LINE)
    if known := run.model.facts.get(IDENTITY):
        yield f"{prefix}.identity", escape(known, LINE)
    yield f"{prefix}.incomplete", escape(summary.incomplete, LINE)
    for found in report.gates:
        yield f"{prefix}.gate {escape(found.gate.text, LINE)}", judge_gate(found)[1]


def render(reports: Sequence[SuiteReport]) -> str:
    """Renders one file: a test suite for each suite, its gates first, then its items."""
    root = ET.Element("testsuites", name="pytest-coderobust")
    for report in reports:
        root.append(make_suite(report))
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def make_suite(report: SuiteReport) -> ET.Element:
    """Makes the element of one suite; times are left out, since a ledger keeps none."""
    cases = [
        *(make_gate_case(report, outcome) for outcome in report.gates),
        *(make_item_case(report, observation) for observation in report.run.observations),
    ]
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": 0,
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }
    made = ET.Element("testsuite", name=escape(report.run.suite, LINE))
    made.attrib |= {name: str(count) for name, count in counts.items()}
    properties = ET.SubElement(made, "properties")
    for name, value in list_properties(report):
        ET.SubElement(properties, "property", name=name, value=value)
    made.extend(cases)
    return made


def make_gate_case(report: SuiteReport, found: GateOutcome) -> ET.Element:
    case = _make_case(f"{name_class(report)}.gates", found.gate.text)
    verdict, message = judge_gate(found)
    if verdict != "passed":
        ET.SubElement(case, "failure" if verdict == "failed" else "skipped", message=message)
    return case


def make_item_case(report: SuiteReport, observation: Observation) -> ET.Element:
    """Makes the test case of an item: it passes where it was measured, and shows the counts."""
    case = _make_case(name_class(report), f"{observation.task_id}[{observation.cell.label}]")
    status = observation.status.value
    if not observation.measured:
        message = escape(f"{status}: {observation.reason}", LINE)
        ET.SubElement(case, "skipped", message=message)
        return case
    found = ET.SubElement(case, "system-out")
    found.text = f"{status}: {observation.c} of {observation.n} samples pass"
    return case


def name_class(report: SuiteReport) -> str:
    """Names the suite's file as pytest does in JUnit XML."""
    return escape((report.origin.reference or report.run.suite).replace("/", "."), LINE)


def _make_case(classname: str, name: str) -> ET.Element:
    return ET.Element("testcase", classname=classname, name=escape(name, LINE))
