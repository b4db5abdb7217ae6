"""Results with the quality of their solutions, for the tests of reports."""

from __future__ import annotations

from dataclasses import replace

from pytest_coderobust.metrics.quality import summarise_quality
from pytest_coderobust.metrics.quality_numbers import SolutionQuality
from pytest_coderobust.records import Cell
from pytest_coderobust.records.lint import LintRemark
from pytest_coderobust.results.result import DecidedRun
from support.metrics_runs import Outcome, result_of, suite_run

TASKS = 6
TABLE: dict[str, dict[str, Outcome]] = {
    f"T/{i}": {"clean": 1, "C1-s0": i % 2, "C2-s0": 1} for i in range(TASKS)
}


def judged_result(*, tool: str = "pylint", paper: bool = False, name: str = "") -> DecidedRun:
    """A result whose solutions were judged; one has a syntax error, one broke the linter.

    Args:
        name: of the messages, for hostile ones.
    """
    codes = ("W0612", "C0103", "E0602", "R1705") if tool == "pylint" else ("F841", "D100")
    solutions = [
        SolutionQuality(
            f"T/{place}",
            cell,
            passed=place % 2 == 1 or cell.is_clean,
            trouble="",
            lines=7 + place,
            statements=9,
            remarks=tuple(LintRemark(3, code, name) for code in codes[: place + index]),
        )
        for index, cell in enumerate((Cell(), Cell("C1", 0), Cell("C2", 0)))
        for place in range(TASKS)
    ]
    solutions += [
        SolutionQuality("T/0", Cell("C1", 0), False, "syntax", 5, 0, ()),
        SolutionQuality("T/1", Cell("C1", 0), False, "unjudged", 5, 0, ()),
    ]
    result = result_of(suite_run(TABLE, levels={"C1": "character", "C2": "character"}))
    quality = summarise_quality(
        solutions,
        result.summary.conditions,
        tool=tool,
        version=f"{tool} 4.1.4",
        paper=paper,
        left_out=2,
    )
    return replace(result, summary=replace(result.summary, quality=quality))
