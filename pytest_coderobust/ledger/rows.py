"""The columns of a ledger's rows: records as columns, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from pytest_coderobust.records import (
    ApiUse,
    Cell,
    Completion,
    FailureKind,
    Finish,
    Level,
    Observation,
    Verdict,
)
from pytest_coderobust.records.codec import decode, encode

COMPLETION_COLUMNS = "key, text, finish, tokens, thought_tokens, opened"
COMPLETION_TABLES = "completions LEFT JOIN thoughts USING (key)"
"""Thoughts lie in a table of their own: most completions have none, and older ledgers no table."""
VERDICT_COLUMNS = (
    "key, level, passed, total, failure, detail, tier, cpu_seconds, api_uses, in_process"
)


def make_completion_row(key: str, completion: Completion) -> tuple[object, ...]:
    return key, write_text(completion.text), completion.finish, completion.tokens


def make_thought_rows(found: Mapping[str, Completion]) -> list[tuple[object, ...]]:
    """Makes the rows of the thoughts in completions, for those that have some; the key twice."""
    return [
        (key, each.thought_tokens, write_text(each.opened), key)
        for key, each in found.items()
        if each.thought_tokens or each.opened
    ]


def read_completion(
    text: bytes, finish: str, tokens: int, thought_tokens: int | None, opened: bytes | None
) -> Completion:
    """Reads the completion in the columns of its row, its key left out."""
    kind = cast("Finish", finish)
    return Completion(read_text(text), kind, tokens, thought_tokens or 0, read_text(opened or b""))


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


def write_observation(observation: Observation) -> str:
    """Writes the body of an observation's row."""
    return json.dumps(encode(observation), sort_keys=True)


class ObservationReader:
    """A reader of observations whose equal parts are one object, so that a million of them fit.

    A cell is in as many observations as there are tasks, a task in as many as there are cells.
    """

    def __init__(self) -> None:
        self._cells: dict[tuple[str, int], Cell] = {}
        self._texts: dict[str, str] = {}

    def read(self, body: str) -> Observation:
        """Reads the observation in the body of its row.

        Raises:
            ValueError, KeyError, TypeError: the body is not a valid observation.
        """
        held = json.loads(body)
        cell = decode(Cell, held["cell"])
        held["cell"] = self._cells.setdefault((cell.perturbation, cell.seed), cell)
        for name in ("task_id", "member", "reason"):
            if name in held:
                held[name] = self._texts.setdefault(held[name], held[name])
        return decode(Observation, held)


def write_text(text: str) -> bytes:
    """Writes text as bytes, because SQLite's TEXT loses lone surrogates and NUL."""
    return text.encode("utf-8", "surrogatepass")


def read_text(kept: bytes) -> str:
    """Reads the text that `write_text` wrote."""
    return kept.decode("utf-8", "surrogatepass")
