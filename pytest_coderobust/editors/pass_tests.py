"""Pass tests: judges of completions, for methods that run tests while they edit."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.protocol import PassTest
from pytest_coderobust.models.extraction.solution import extract
from pytest_coderobust.records import Limits, Packages, Task
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check, Sandbox


@contextmanager
def judge_of(access: Access) -> Generator[PassTest]:
    """Context of the judge that came with the model, or of one with its own sandbox."""
    if access.judge is not None:
        yield access.judge
        return
    with open_sandbox(1) as sandbox:
        yield sandbox_judge(sandbox)


def sandbox_judge(
    sandbox: Sandbox, limits: Limits | None = None, packages: Packages | None = None
) -> PassTest:
    """Makes a judge that runs the tests of a task; equal solutions run once."""

    def judge(task: Task, completions: Sequence[str]) -> list[bool]:
        solutions = [extract(text, task) for text in completions]
        checks = {
            text: Check(
                solution=text,
                entry_point=task.entry_point,
                tests=task.tests,
                limits=limits or Limits(),
                language=task.language,
                packages=packages or Packages(),
            )
            for text in solutions
        }
        running = {text: sandbox.submit(check) for text, check in checks.items()}
        return [running[text].result().full for text in solutions]

    return judge
