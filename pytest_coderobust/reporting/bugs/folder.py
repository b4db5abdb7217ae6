"""A folder of bug reports with an index; one Markdown and one JSON file each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pytest_coderobust.hunting.failure import Failure
from pytest_coderobust.reporting.bugs.markdown import render
from pytest_coderobust.reporting.bugs.report import BugReport, make_bug_reports, make_document
from pytest_coderobust.reporting.markdown.gfm import format_code, format_table
from pytest_coderobust.results.conclusion import SuiteReport

MOST = 200
"""Broken variants of one suite that get a report; the index says how many there are."""


def write_bugs(
    reports: Sequence[SuiteReport], failures: Sequence[Sequence[Failure]], folder: Path
) -> None:
    """Writes the reports of every suite, and an index of those written now.

    Args:
        failures: for each report the minimal failures of its suite.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bugs: list[BugReport] = []
    broken = 0
    for report, found in zip(reports, failures, strict=True):
        broken += sum(o.status.value == "broken" for o in report.run.observations)
        for bug in make_bug_reports(report, found, MOST):
            bugs.append(bug)
            text = json.dumps(make_document(bug), ensure_ascii=True, allow_nan=False, indent=1)
            (folder / f"{bug.id}.json").write_text(text + "\n", encoding="ascii")
            (folder / f"{bug.id}.md").write_text(render(bug), encoding="utf-8")
    (folder / "index.md").write_text(render_index(bugs, broken), encoding="utf-8")


def render_index(bugs: Sequence[BugReport], broken: int) -> str:
    rows = [
        (
            f"[{bug.id}]({bug.id}.md)",
            format_code(bug.task),
            format_code(bug.condition),
            format_code(bug.model.name),
        )
        for bug in bugs
    ]
    head = f"# Bug reports\n\n{len(bugs)} reports; {broken} variants of the run are broken.\n\n"
    return head + (
        format_table(("report", "task", "condition", "model"), rows, left=4) + "\n" if rows else ""
    )
