"""`--quality`: the solutions of a session, judged by a linter at its end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_coderobust.metrics.summary import Summary
from pytest_coderobust.records import SuiteRun
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.resources import Resources
from pytest_coderobust.session.suite import SuiteSession

if TYPE_CHECKING:
    from pytest_coderobust.linters.linter import Linter


def choose_linter(choices: Choices) -> Linter | None:
    """The linter that was asked for; None where nobody asks for quality."""
    name = choices.quality or ("pylint" if choices.quality_paper else None)
    if name is None:
        return None
    from pytest_coderobust.linters.registry import LINTERS

    return LINTERS[name]()


def add_quality(
    resources: Resources, suite: SuiteSession, key: str, run: SuiteRun, summary: Summary
) -> Summary:
    """The summary joined by the quality of the run's solutions.

    Args:
        key: of the observations in the ledger.

    Raises:
        CodeRobustError: the linter is not installed or does not work, or the ledger is damaged.
    """
    from pytest_coderobust.engine.quality import judge_quality, list_solutions
    from pytest_coderobust.metrics.quality import summarise_quality

    linter = choose_linter(resources.choices)
    assert linter is not None
    paper = resources.choices.quality_paper
    listed = list(list_solutions(suite.plan, resources.ledger, key, run.observations))
    solutions = [each for each in listed if each is not None]
    quality = summarise_quality(
        judge_quality(solutions, linter, resources.ledger, paper=paper),
        summary.conditions,
        tool=linter.name,
        version=linter.find_version(),
        paper=paper,
        left_out=len(listed) - len(solutions),
    )
    return replace(summary, quality=quality)
