"""Which tests can be split from the solution: each task's canonical solution tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from pytest_coderobust.records import Verdict
from pytest_coderobust.sandbox.check import Check

JudgeAll: TypeAlias = Callable[[Sequence[Check]], Sequence[Verdict]]
"""Judges checks, all of them; the verdicts in order."""


def calibrate(canonicals: Sequence[Check], judge: JudgeAll) -> list[tuple[Check, Verdict]]:
    """The check that each canonical solution is rightly judged by, and its verdict.

    A canonical solution that passes with its tests outside stays as it is. One that fails there
    and passes with its tests in its own process shows tests that cannot be split: its check comes
    back with `in_process` set, as every other check of the task should be. One that fails both
    ways comes back unaltered, with the verdict of the split: the task itself is at fault.

    Args:
        canonicals: checks of canonical solutions, one a task.
    """
    found = list(zip(canonicals, judge(canonicals), strict=True))
    failing = [at for at, (check, verdict) in enumerate(found) if may_be_inside(check, verdict)]
    inside = [replace(found[at][0], in_process=True) for at in failing]
    for at, check, verdict in zip(failing, inside, judge(inside), strict=True):
        if verdict.full:
            found[at] = (check, verdict)
    return found


def may_be_inside(check: Check, verdict: Verdict) -> bool:
    """Whether a failed check could be judged in the solution's process."""
    python = check.language == "python" and check.tests.style in ("check", "asserts")
    return python and not check.in_process and not verdict.full
