"""Judging of many checks in a sandbox, with a word about how far it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import as_completed

from pytest_coderobust.records import Verdict
from pytest_coderobust.sandbox.calibration import JudgeAll
from pytest_coderobust.sandbox.check import Check, Sandbox

JudgingProgress = Callable[[int], None]
"""Called with the number of checks that were judged so far."""


def make_judge(sandbox: Sandbox, progress: JudgingProgress | None = None) -> JudgeAll:
    """Makes a function that judges checks in order; equal checks are judged once.

    The function raises SandboxError where the harness fails on a check.
    """
    known: dict[Check, Verdict] = {}

    def judge(checks: Sequence[Check]) -> Sequence[Verdict]:
        wanted = {
            sandbox.submit(check): check for check in dict.fromkeys(checks) if check not in known
        }
        for future in as_completed(wanted):
            known[wanted[future]] = future.result()
            if progress is not None:
                progress(len(known))
        return [known[check] for check in checks]

    return judge
