"""Reports of compiled runs about their tests, line by line behind the run's secret.

    SECRET begin              the tests begin: everything was loaded
    SECRET pass 3             test 3 came to a good end, the first time
    SECRET fail 3 text        test 3 failed, or raised what the text says
    SECRET end                the tests came to their normal end

A line without the secret is the solution's own and counts for nothing.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from pytest_coderobust.records import FailureKind, Level, Verdict
from pytest_coderobust.sandbox.judge.conversation import explain_end
from pytest_coderobust.sandbox.judge.outcome import DETAIL
from pytest_coderobust.sandbox.judge.programs import ProgramRun

OUTPUT_BYTES = 4 << 20
FAILED = "a test does not hold"


@dataclass(frozen=True, slots=True)
class CompiledReport:
    """The results that a run reported; `first` is the first failure's text."""

    begun: bool
    ended: bool
    passed: frozenset[int]
    failed: frozenset[int]
    first: str


def make_secret() -> str:
    """Makes 32 characters that nobody can guess."""
    return secrets.token_hex(16)


@contextmanager
def secret_pipe(secret: str) -> Generator[int, None, None]:
    """Gives a descriptor from which a secret can be read a single time."""
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    try:
        os.write(theirs, secret.encode("ascii"))
        os.close(theirs)
        yield ours
    finally:
        os.close(ours)


def read_report(output: bytes, secret: str, total: int) -> CompiledReport:
    """Reads the lines of a run that bear its secret."""
    begun = ended = False
    passed, failed = set[int](), set[int]()
    first = ""
    for line in output.split(b"\n"):
        mark, _, rest = line.partition(b" ")
        if mark != secret.encode("ascii"):
            continue
        word, _, said = rest.decode("utf-8", "replace").partition(" ")
        number, _, text = said.partition(" ")
        begun = begun or word == "begin"
        ended = ended or word == "end"
        if word in ("pass", "fail") and number.isdecimal() and int(number) < total:
            (passed if word == "pass" else failed).add(int(number))
        if word == "fail":
            first = first or " ".join(text.split()) or FAILED
    return CompiledReport(begun, ended, frozenset(passed - failed), frozenset(failed), first)


def judge_report(ran: ProgramRun, secret: str, total: int) -> Verdict:
    """Makes the verdict of a run, without its tier."""
    found = read_report(ran.output, secret, total)
    seconds = ran.end.cpu_seconds
    if found.ended and not found.failed and not found.first:
        return Verdict(Level.FULL, total, total, cpu_seconds=seconds)
    passed = len(found.passed)
    level = Level.PARTIAL if passed else Level.LOAD if found.begun else Level.COMPILE
    kind, detail = explain(ran, found)
    return Verdict(level, passed, total, kind, detail[:DETAIL], cpu_seconds=seconds)


def explain(ran: ProgramRun, found: CompiledReport) -> tuple[FailureKind, str]:
    """Returns the first failure, as a verdict says it."""
    if found.first:
        raised = found.first.partition(": ")[0]
        if "OutOfMemory" in raised or "bad_alloc" in raised:
            return "memory", found.first
        if found.first == FAILED or raised.endswith("AssertionError"):
            return "wrong-answer", found.first
        return "exception", found.first
    if ran.flooded:
        return "protocol", f"printed more than {len(ran.output)} bytes"
    gone = explain_end(ran.end)
    return gone.kind, str(gone)
