"""The columns of a ledger's rows: records as columns, and back."""

from __future__ import annotations

import json
from typing import cast

from pytest_coderobust.records import (
    ApiUse,
    Completion,
    FailureKind,
    Finish,
    Level,
    Observation,
    Verdict,
)
from pytest_coderobust.records.codec import decode

COMPLETION_COLUMNS = "key, text, finish, tokens"
VERDICT_COLUMNS = (
    "key, level, passed, total, failure, detail, tier, cpu_seconds, api_uses, in_process"
)


def make_completion_row(key: str, completion: Completion) -> tuple[object, ...]:
    return key, write_text(completion.text), completion.finish, completion.tokens


def read_completion(text: bytes, finish: str, tokens: int) -> Completion:
    """Reads the completion in the columns of its row, its key left out."""
    return Completion(read_text(text), cast("Finish", finish), tokens)


def make_verdict_row(key: str, v: Verdict) -> tuple[object, ...]:
    return (
        key,
        v.level.value,
        v.passed,
        v.total,
        v.failure,
        write_text(v.detail),
        v.tier,
        v.cpu_seconds,
        json.dumps([[use.old, use.new] for use in v.api_uses]),
        v.in_process,
    )


def read_verdict(
    level: str,
    passed: int,
    total: int,
    failure: str,
    detail: bytes,
    tier: str,
    cpu: float,
    uses: str,
    in_process: int,
) -> Verdict:
    """Reads the verdict in the columns of its row."""
    return Verdict(
        Level(level),
        passed,
        total,
        cast("FailureKind", failure),
        read_text(detail),
        tier,
        cpu,
        tuple(ApiUse(*use) for use in json.loads(uses)),
        bool(in_process),
    )


def read_observation(body: str) -> Observation:
    """Reads the observation in the body of its row."""
    return decode(Observation, json.loads(body))


def write_text(text: str) -> bytes:
    """Writes text as bytes, because SQLite's TEXT loses lone surrogates and NUL."""
    return text.encode("utf-8", "surrogatepass")


def read_text(kept: bytes) -> str:
    """Reads the text that `write_text` wrote."""
    return kept.decode("utf-8", "surrogatepass")
