"""From a completion to the check that judges it."""

from __future__ import annotations

from pytest_coderobust.config.suite import SuiteConfig
from pytest_coderobust.models.solution import extract
from pytest_coderobust.records import Task
from pytest_coderobust.sandbox.check import Check


def check_of(task: Task, completion: str, config: SuiteConfig) -> Check:
    """The check of a completion; the clean prompt stands in front of it, never a perturbed one."""
    return Check(
        solution=extract(completion, task, config.extraction),
        entry_point=task.entry_point,
        tests=task.tests,
        limits=config.limits,
        language=task.language,
        api_changes=task.api_changes,
    )
