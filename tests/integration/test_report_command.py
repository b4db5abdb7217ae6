"""`coderobust report` writes from the ledger what the session wrote, and JUnit shows the gates."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from conftest import Project

CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testsuite", "properties", "testcase", "system-out", "system-err"},
    "properties": {"property"},
    "testcase": {"skipped", "error", "failure", "system-out", "system-err"},
}
REQUIRED = {
    "testsuite": {"name", "tests", "failures", "errors"},
    "testcase": {"name"},
    "property": {"name", "value"},
}
OPTIONAL = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {
        "group",
        "time",
        "skipped",
        "timestamp",
        "hostname",
        "id",
        "package",
        "file",
        "log",
        "url",
    },
    "testcase": {"time", "classname", "group"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
}


def check_junit(element: ET.Element) -> None:
    """The rules of the xunit plugin's schema junit-10.xsd, which Jenkins validates against."""
    names = set(element.attrib)
    assert names >= REQUIRED.get(element.tag, set()), element.tag
    assert names <= REQUIRED.get(element.tag, set()) | OPTIONAL.get(element.tag, set()), (
        element.tag,
        names,
    )
    for child in element:
        assert child.tag in CHILDREN.get(element.tag, set()), (element.tag, child.tag)
        check_junit(child)


def report(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest_coderobust.cli", "report", *arguments],
        cwd=project.path, capture_output=True, text=True, check=False,
    )  # fmt: skip


def gates(path: Path) -> dict[str, list[str]]:
    root = ET.parse(path).getroot()
    check_junit(root)
    (suite,) = root
    assert len(suite.findall("testcase")) == int(suite.attrib["tests"])
    return {
        case.attrib["name"]: [child.tag for child in case]
        for case in suite.findall("testcase")
        if case.attrib["classname"].endswith("gates")
    }


@pytest.fixture
def measured(project: Project) -> Project:
    """A project after a session with two gates, one of which fails."""
    project.write_suite('perturbations = ["C1"]\ngates = ["rd[C1] <= 0.1", "pass@1 >= 0.5"]')
    model = project.record(broken=[0], unsolved=[1])
    result = project.run(
        "toy.toml", "--model", model, "--junitxml=session.xml",
        "--coderobust-json=session.json", "--coderobust-markdown=session.md",
        "--coderobust-html=session.html", "--bug-reports=bugs",
    )  # fmt: skip
    result.assert_outcomes()
    assert result.ret == 1
    return project


def test_every_report_is_rebuilt_from_the_ledger(measured: Project) -> None:
    path = measured.path
    found = report(
        measured, "--json=again.json", "--markdown=again.md", "--html=again.html",
        "--junit=again.xml", "--bug-reports=again",
    )  # fmt: skip
    assert (found.returncode, found.stderr) == (0, "")
    for kind in ("json", "md", "html"):
        assert (path / f"again.{kind}").read_bytes() == (path / f"session.{kind}").read_bytes()
    bugs = {file.name: file.read_bytes() for file in (path / "bugs").iterdir()}
    assert bugs == {file.name: file.read_bytes() for file in (path / "again").iterdir()}
    told = {"rd[C1] <= 0.1": ["failure"], "pass@1 >= 0.5": []}
    assert gates(path / "session.xml") == gates(path / "again.xml") == told
    assert "gate fails       rd[C1] <= 0.1  (measured 0.2)" in report(measured).stdout


def test_bug_report_is_enough_to_act_on(measured: Project) -> None:
    (name,) = (file.stem for file in (measured.path / "bugs").glob("*.json"))
    found = json.loads((measured.path / "bugs" / f"{name}.json").read_text())
    assert (found["task"], found["condition"], found["minimal"]) == ("Toy/0", "C1-s0", False)
    assert found["clean"]["sample"]["passed"] == found["clean"]["sample"]["total"] == 3
    assert found["broken"]["sample"]["detail"] == (
        "AssertionError in: assert candidate(3) == 6; double(3) returned None"
    )
    assert found["environment"].keys() >= {"python", "platform", "pytest-coderobust"}
    words = shlex.split(found["reproduce"])
    again = measured.run(*words[1:])
    again.stdout.fnmatch_lines(["*Toy/0 is solved clean (1 of 1) and broken under C1-s0*"])
    text = (measured.path / "bugs" / f"{name}.md").read_text(encoding="utf-8")
    for expected in (found["reproduce"], "double(3) returned None", found["model"]["fingerprint"]):
        assert expected in text


def test_one_item_run_again_hides_no_whole_run(measured: Project) -> None:
    measured.run("toy.toml", "-k", "Toy/3", "--model", "replay:answers.jsonl")
    assert "PARTIAL" not in report(measured).stdout
    listed = report(measured, "--list").stdout.splitlines()
    assert len(listed) == 1
    assert listed[0].split()[1:] == ["toy", "replay:answers.jsonl"]


def test_partial_run_shows_the_clean_prompt_it_never_selected(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]')
    model = project.record(broken=[0])
    project.run("toy.toml", "-k", "C1", "--model", model)
    assert "PARTIAL" in report(project).stdout
    report(project, "--markdown", "out.md")
    text = (project.path / "out.md").read_text(encoding="utf-8")
    assert '\n-    """Return twice the given number' in text


def test_two_runs_are_compared_and_wrong_requests_refused(measured: Project) -> None:
    model = measured.record(broken=[0, 2], unsolved=[3])
    measured.run("toy.toml", "--model", model, "--coderobust-ledger=other.sqlite")
    found = report(measured, "other.sqlite", "--against", ".coderobust/ledger.sqlite")
    assert found.returncode == 0
    for line in (
        "newly fragile: 3 items: Toy/3[clean], Toy/2[C1-s0], Toy/3[C1-s0]",
        "fixed: 2 items: Toy/1[clean], Toy/1[C1-s0]",
        "unchanged: 7 items",
    ):
        assert line in found.stdout
    report(
        measured,
        "other.sqlite",
        "--against=.coderobust/ledger.sqlite",
        "--markdown=both.md",
        "--html=both.html",
    )
    for name in ("both.md", "both.html"):
        text = (measured.path / name).read_text(encoding="utf-8")
        assert "Compared with before: inconclusive at a margin of 0.05" in text
        assert "Toy/2" in text
    for arguments, sentence in (
        (["missing.sqlite"], "missing.sqlite is not a valid ledger"),
        (["--suite", "toi"], "--suite 'toi' is not in this ledger; did you mean 'toy'?"),
        (["--run", "zz"], "--run 'zz' fits no run"),
        (["--against", "missing.sqlite"], "missing.sqlite is not a valid ledger"),
    ):
        found = report(measured, *arguments)
        assert found.returncode == 4
        assert sentence in found.stderr
        assert "Traceback" not in found.stderr


def test_the_projects_ledger_is_found_from_a_subfolder(measured: Project) -> None:
    folder = measured.path / "sub" / "folder"
    folder.mkdir(parents=True)
    (measured.path / "pytest.ini").write_text("")
    found = subprocess.run(
        [sys.executable, "-m", "pytest_coderobust.cli", "report", "--list"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert " toy " in found.stdout


def test_minimal_failures_are_the_projects_whatever_ledger_its_settings_name(
    project: Project,
) -> None:
    """The bug reports of the command are the session's, byte for byte."""
    project.pytester.makepyprojecttoml('[tool.coderobust]\nledger = "kept/l.sqlite"\n')
    (project.path / "toy.toml").write_text(
        '[suite]\ntasks = "quickstart"\nperturbations = ["C3"]\nlimit = 3\n'
        "[sampling]\nmax_new_tokens = 64\n"
    )
    project.run("toy.toml", "--model=tiny", "--hunt", "--budget=60", "--bug-reports=during")
    found = report(project, "--bug-reports", "after")
    assert found.returncode == 0, found.stderr
    during, after = (
        {path.name: path.read_bytes() for path in (project.path / name).iterdir()}
        for name in ("during", "after")
    )
    assert during == after
    assert any(b"minimal" in text for text in during.values())
