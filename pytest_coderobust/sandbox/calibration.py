"""Finds out from its canonical solution how a task must be judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from pytest_coderobust.records import Verdict
from pytest_coderobust.sandbox.check import Check

JudgeAll: TypeAlias = Callable[[Sequence[Check]], Sequence[Verdict]]
"""Judges all checks and returns their verdicts in order."""
REFUSALS = frozenset({"PermissionError", "ModuleNotFoundError"})
"""Errors of what asks for files, processes, the network or packages that the cage lacks."""
SLACK = 4.0
"""The limit of one call is at least this multiple of the canonical solution's time for all."""


def calibrate(canonicals: Sequence[Check], judge: JudgeAll) -> list[tuple[Check, Verdict]]:
    """Returns a check and a verdict for each canonical solution.

    - A check that passes soon with its tests outside comes back as it is.
    - A check that is slow comes back without a limit of one call.
    - A check that fails with its tests outside, and passes with them in the solution's process, has
      tests that cannot be split. It comes back with `in_process` set.
    - A check that fails in each of these ways comes back as it is, with its first verdict; where
      that says no more than that the tests cannot be split, with the one of the solution's process.
      `is_beyond` tells whether the task is at fault or the sandbox cannot judge it.

    Every other check of the task should go through `calibrate_like`.

    Args:
        canonicals: checks of canonical solutions, one a task.
    """
    first = list(zip(canonicals, judge(canonicals), strict=True))
    found = [(lift_call_limit(check, verdict), verdict) for check, verdict in first]
    slow = [at for at, (check, _) in enumerate(found) if check is not first[at][0]]
    _retry(found, [at for at in slow if not found[at][1].full], judge)
    failing = [at for at, (check, verdict) in enumerate(found) if may_be_in_process(check, verdict)]
    for at in failing:
        found[at] = (replace(found[at][0], in_process=True), found[at][1])
    _retry(found, failing, judge)
    return [
        now if now[1].full else (was[0], now[1] if was[1].failure == "protocol" else was[1])
        for now, was in zip(found, first, strict=True)
    ]


def _retry(found: list[tuple[Check, Verdict]], places: Sequence[int], judge: JudgeAll) -> None:
    """Judges the checks at these places again, and keeps the new verdicts."""
    checks = [found[at][0] for at in places]
    for at, check, verdict in zip(places, checks, judge(checks), strict=True):
        found[at] = (check, verdict)


def is_beyond(verdict: Verdict) -> bool:
    """Whether a solution failed because it or its tests need what the sandbox does not have."""
    refused = verdict.detail.partition(":")[0] in REFUSALS
    return not verdict.full and (verdict.failure == "protocol" or refused)


def calibrate_like(check: Check, calibrated: Check) -> Check:
    """Makes a check be judged as the calibrated one of the same task is."""
    return replace(check, in_process=calibrated.in_process, limits=calibrated.limits)


def lift_call_limit(check: Check, verdict: Verdict) -> Check:
    """Lifts the limit of one call where the canonical solution came near to it."""
    seconds = check.limits.call_seconds
    if not seconds or not calls_function(check) or SLACK * verdict.cpu_seconds <= seconds:
        return check
    return replace(check, limits=replace(check.limits, call_seconds=0.0))


def may_be_in_process(check: Check, verdict: Verdict) -> bool:
    """Whether a failed check could be judged in the solution's process."""
    return calls_function(check) and not check.in_process and not verdict.full


def calls_function(check: Check) -> bool:
    """Whether the tests call a function from outside, rather than run a program."""
    return check.language == "python" and check.tests.style in ("check", "asserts")
