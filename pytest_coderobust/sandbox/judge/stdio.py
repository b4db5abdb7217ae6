"""Judges a whole program by what it prints: one run for each case, expected output kept here."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import ApiUse, FailureKind, Level, Verdict
from pytest_coderobust.sandbox.cage.frames import WireError
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.conversation import Starved, explain_end
from pytest_coderobust.sandbox.judge.outcome import DETAIL
from pytest_coderobust.sandbox.judge.printed import agrees
from pytest_coderobust.sandbox.judge.programs import ProgramRun, run_program, seal
from pytest_coderobust.sandbox.judge.watchdog import bound
from pytest_coderobust.sandbox.judge.zygote import Zygote, ZygoteLostError

Cases = tuple[tuple[str, str], ...]
"""Input and expected output of each case."""

TOLD = 40


@dataclass(frozen=True, slots=True)
class CaseFailure:
    """The reason why a case does not count as passed."""

    kind: FailureKind
    detail: str


@lru_cache(maxsize=256)
def read_cases(source: str) -> Cases:
    """Reads the cases of a set of tests. Raises SandboxError when the text holds none."""
    try:
        found: Any = json.loads(source)
        cases = tuple(zip(found["inputs"], found["outputs"], strict=True))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise SandboxError(f"the tests are not valid inputs and outputs: {error}") from None
    if not cases or not all(type(text) is str for case in cases for text in case):
        raise SandboxError("the tests are not valid inputs and outputs: each must be a text")
    return cases


def judge_stdio(check: Check, zygote: Zygote) -> tuple[Verdict, Starved]:
    """Judges a program; returns a verdict without its tier, and whether the machine is at fault.

    Each case has the check's limits to itself. A case that hangs ends the run: the cases before
    it keep their results, those after it have none and do not pass.

    Raises:
        SandboxError: the tests cannot be read.
        ZygoteLostError: the zygote is gone.
    """
    cases = read_cases(check.tests.source)
    total, passed, ended, seconds = len(cases), 0, 0, 0.0
    first: CaseFailure | None = None
    uses: tuple[ApiUse, ...] = ()
    starved: Starved = ""
    for given, expected in cases:
        bound(check.limits)
        ran = run_case(check, zygote, given)
        seconds += ran.end.cpu_seconds
        uses = add_uses(uses, ran.end.api_uses)
        if ran.end.reason == "lost":
            raise ZygoteLostError("the fork server ended during a check")
        syntax = find_syntax_error(ran)
        if syntax is not None:
            return Verdict(Level.NONE, 0, total, "syntax", syntax, "", seconds), ""
        failure = find_trouble(ran) or find_difference(ran, expected)
        passed += failure is None
        ended += failure is None or failure.kind == "wrong-answer"
        first = first or failure
        if failure is not None and failure.kind == "timeout":
            starved = ran.starved
            break
    if first is None:
        return Verdict(Level.FULL, total, total, cpu_seconds=seconds, api_uses=uses), ""
    level = Level.PARTIAL if passed else Level.LOAD if ended else Level.COMPILE
    verdict = Verdict(level, passed, total, first.kind, first.detail, "", seconds, uses)
    return verdict, starved


def add_uses(before: tuple[ApiUse, ...], more: tuple[ApiUse, ...]) -> tuple[ApiUse, ...]:
    """Adds two counts of the same changes."""
    if not before:
        return more
    return tuple(ApiUse(a.old + b.old, a.new + b.new) for a, b in zip(before, more, strict=False))


def run_case(check: Check, zygote: Zygote, given: str) -> ProgramRun:
    """Runs a program on one input."""
    stdin = seal("input", given.encode("utf-8", "surrogateescape"))
    # A source of any size may come; the wire's cap is for what comes out.
    limits = replace(check.limits, wire_bytes=max(check.limits.wire_bytes, len(check.solution) * 7))
    try:
        request = {"python": check.solution}
        return run_program(zygote, request, limits, changes=check.api_changes, stdin=stdin)
    except WireError as error:  # it cannot even be sent
        raise SandboxError(str(error)) from None
    finally:
        os.close(stdin)


def find_syntax_error(ran: ProgramRun) -> str | None:
    """Returns the error of a source that does not parse, or None."""
    found = ran.remarks[0] if ran.remarks else {}
    return describe_raised(found) if found.get("stage") == "syntax" else None


def find_trouble(ran: ProgramRun) -> CaseFailure | None:
    """Returns the reason why a program did not come to its normal end, or None when it did."""
    if ran.flooded:
        return CaseFailure("protocol", f"printed more than {len(ran.output)} bytes")
    if ran.end.reason != "exited":
        gone = explain_end(ran.end)
        return CaseFailure(gone.kind, str(gone))
    raised = ran.remark("raised")
    if type(raised) is dict:
        kind: FailureKind = "memory" if "MemoryError" in raised.get("kinds", ()) else "exception"
        return CaseFailure(kind, describe_raised(raised))
    if ran.end.code:
        gone = explain_end(ran.end)
        return CaseFailure(gone.kind, str(gone))
    return None


def find_difference(ran: ProgramRun, expected: str) -> CaseFailure | None:
    """Compares what a program printed with what it should print; None when they agree."""
    try:
        printed = ran.output.decode("utf-8")
    except UnicodeDecodeError:
        return CaseFailure("wrong-answer", "printed bytes that are not valid UTF-8")
    if agrees(printed, expected):
        return None
    shown = " ".join(printed.split())[:TOLD]
    return CaseFailure("wrong-answer", f"printed {shown!r}" if shown else "printed nothing")


def describe_raised(found: Any) -> str:
    """Makes one line of an exception that a candidate described."""
    kinds = found.get("kinds") or ["unknown"]
    return " ".join(f"{kinds[0]}: {found.get('text', '')}".split())[:DETAIL]
