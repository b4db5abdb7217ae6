"""Checks and verdicts as JSON bytes, between a coordinator and the nodes that judge for it.

Bytes are all that Ray or an executor ever pickles for us. What comes back is decoded by types, so
that nothing a candidate wrote becomes more than text and numbers.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Verdict
from pytest_coderobust.records.codec import decode, encode
from pytest_coderobust.records.verdict import FailureKind
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.process import read_check, write_check, write_verdict
from pytest_coderobust.sandbox.nodes.facts import JudgeFacts

FAILURES = frozenset(get_args(FailureKind))


@dataclass(frozen=True, slots=True)
class NodeReply:
    """A verdict, with the facts of the process that reached it."""

    facts: JudgeFacts
    verdict: Verdict


def write_check_frame(check: Check) -> bytes:
    """Makes a check bytes. Raises TypeError or ValueError where JSON has no such value."""
    return _write(write_check(check))


def read_check_frame(frame: bytes) -> Check:
    """Reads a check that a coordinator sent."""
    return read_check(json.loads(frame))


def write_reply_frame(facts: JudgeFacts, verdict: Verdict) -> bytes:
    """Makes a verdict bytes."""
    return _write({"facts": encode(facts), "verdict": write_verdict(verdict)})


def write_facts_frame(facts: JudgeFacts) -> bytes:
    """Makes the facts of a process bytes."""
    return _write({"facts": encode(facts)})


def write_error_frame(message: str) -> bytes:
    """Makes bytes of the reason why a check has no verdict, or a node no facts."""
    return _write({"error": message})


def read_reply_frame(frame: object) -> NodeReply:
    """Reads a verdict; its isolation tier is the one that its process attests.

    Raises:
        SandboxError: the harness failed there, and the frame says why; or it is no verdict.
    """
    message = _read(frame)
    try:
        facts = decode(JudgeFacts, message["facts"])
        verdict = decode(Verdict, message["verdict"])
        _check_values(verdict)
    except (TypeError, ValueError, KeyError, ArithmeticError) as error:
        raise SandboxError(f"a node sent what is no verdict: {_shorten(error)}") from None
    return NodeReply(facts, replace(verdict, tier=facts.tier))


def read_facts_frame(frame: object) -> JudgeFacts:
    """Reads the facts of a process.

    Raises:
        SandboxError: it has none, and the frame says why; or the frame holds none.
    """
    message = _read(frame)
    try:
        return decode(JudgeFacts, message["facts"])
    except (TypeError, ValueError, KeyError) as error:
        raise SandboxError(f"a node sent what tells nothing of it: {_shorten(error)}") from None


def _write(message: Any) -> bytes:
    return json.dumps(message, allow_nan=False, separators=(",", ":")).encode("ascii")


def _read(frame: object) -> dict[str, Any]:
    """Reads a frame's object; raises SandboxError with the reason that an error frame holds."""
    try:
        if not isinstance(frame, bytes):
            raise TypeError(f"{type(frame).__name__} in the place of bytes")
        message: object = json.loads(frame)
        if not isinstance(message, dict):
            raise TypeError("no object")
    except (TypeError, ValueError, RecursionError) as error:
        raise SandboxError(f"a node sent what cannot be read: {_shorten(error)}") from None
    found = cast("dict[str, Any]", message)
    if "error" in found:
        raise SandboxError(str(found["error"]))
    return found


def _check_values(verdict: Verdict) -> None:
    """Refuses numbers and words that no judge says. Raises ValueError, or ArithmeticError."""
    if verdict.failure not in FAILURES:
        raise ValueError(f"failure {verdict.failure!r}")
    uses = (number for use in verdict.api_uses for number in (use.old, use.new))
    if any(isinstance(each, bool) for each in (verdict.passed, verdict.total, *uses)):
        raise ValueError("a truth value in the place of a count")
    if not 0 <= verdict.passed <= verdict.total:
        raise ValueError(f"{verdict.passed} of {verdict.total} tests")
    if not (math.isfinite(verdict.cpu_seconds) and verdict.cpu_seconds >= 0):
        raise ValueError(f"{verdict.cpu_seconds} seconds")


def _shorten(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
