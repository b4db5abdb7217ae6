"""How each task is rightly judged: its canonical solution tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from pytest_coderobust.records import Verdict
from pytest_coderobust.sandbox.check import Check

JudgeAll: TypeAlias = Callable[[Sequence[Check]], Sequence[Verdict]]
"""Judges checks, all of them; the verdicts in order."""
SLACK = 4.0
"""One call may take at least so many times what the canonical solution takes for all of them."""


def calibrate(canonicals: Sequence[Check], judge: JudgeAll) -> list[tuple[Check, Verdict]]:
    """The check that each canonical solution is rightly judged by, and its verdict.

    A canonical solution that passes with its tests outside, and soon, stays as it is. One that is
    slow comes back without a limit of one call. One that fails with its tests outside and passes
    with them in its own process shows tests that cannot be split, and comes back with `in_process`
    set. Every other check of the task should be `like` it. One that fails whatever is tried comes
    back unaltered, with its first verdict: the task itself is at fault.

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
    return [now if now[1].full else was for now, was in zip(found, first, strict=True)]


def _retry(found: list[tuple[Check, Verdict]], places: Sequence[int], judge: JudgeAll) -> None:
    """Judges the checks at these places."""
    checks = [found[at][0] for at in places]
    for at, check, verdict in zip(places, checks, judge(checks), strict=True):
        found[at] = (check, verdict)


def calibrate_like(check: Check, calibrated: Check) -> Check:
    """A check, judged as the calibrated one of the same task is."""
    return replace(check, in_process=calibrated.in_process, limits=calibrated.limits)


def lift_call_limit(check: Check, verdict: Verdict) -> Check:
    """The check of a canonical solution, without a limit of one call where it came near to it."""
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
