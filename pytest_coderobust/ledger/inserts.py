"""Inserts of completions: what is there already stays, thoughts and intervals included."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_coderobust.ledger.database import Statement
from pytest_coderobust.ledger.rows import make_completion_row, make_thought_rows
from pytest_coderobust.records import Completion

INSERT_COMPLETION = "INSERT OR IGNORE INTO completions VALUES (?, ?, ?, ?)"
ADD_THOUGHTS = """
INSERT OR IGNORE INTO thoughts SELECT ?, ?, ?
WHERE NOT EXISTS (SELECT 1 FROM completions WHERE key = ?)
"""
NOTE_INTERVAL = """
INSERT OR REPLACE INTO asked SELECT ?, ?
WHERE NOT EXISTS (SELECT 1 FROM completions WHERE key = ?)
"""


def list_inserts(found: Mapping[str, Completion], interval: int | None) -> list[Statement]:
    """Lists the statements that store completions which are not there.

    Thoughts and intervals go ahead of the completions: those that were there keep their own.
    """
    noted = [] if interval is None else [(key, interval, key) for key in found]
    rows = [make_completion_row(key, completion) for key, completion in found.items()]
    return [
        (NOTE_INTERVAL, noted),
        (ADD_THOUGHTS, make_thought_rows(found)),
        (INSERT_COMPLETION, rows),
    ]
