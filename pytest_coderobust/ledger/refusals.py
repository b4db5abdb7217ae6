"""Refusals: rows that a served model's server would not answer, by session, and why."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from pytest_coderobust.ledger.database import Database, Statement
from pytest_coderobust.ledger.rows import read_text, write_text
from pytest_coderobust.records import RefusalReason, Square


class Refusals:
    """The refusals of one ledger; a row that is answered later has none any more."""

    def __init__(self, database: Database, session: str) -> None:
        self._database = database
        self._session = session

    def make_additions(self, refused: Collection[str], told: Mapping[str, str]) -> list[Statement]:
        """Makes the statements that remember refused rows for this session.

        Args:
            refused: keys.
            told: the server's words by key, where it had some.
        """
        reasons = [(key, write_text(told[key])) for key in refused if told.get(key)]
        return [
            (
                "INSERT OR REPLACE INTO refusals VALUES (?, ?)",
                [(key, self._session) for key in refused],
            ),
            ("INSERT OR REPLACE INTO refusal_reasons VALUES (?, ?)", reasons),
        ]

    def read(self, keys: Iterable[str]) -> set[str]:
        """Reads which rows were refused to this session; without one, to any."""
        rows = self._database.select("key, session", "refusals", keys)
        return {str(key) for key, by in rows if self._session in ("", by)}

    def count_reasons(self, run: str, squares: Iterable[Square]) -> tuple[RefusalReason, ...]:
        """Counts the rows of some observations by the reason of their refusal.

        Reasons that differ in numbers alone ("a prompt of 812 tokens") are one, in the words that
        came first. The most frequent one comes first; of equal ones, the first in the squares.
        """
        found: Counter[str] = Counter()
        words: dict[str, str] = {}
        for task, cell in squares:
            rows = self._database.read(
                "SELECT completions FROM observations "
                "WHERE run = ? AND task = ? AND perturbation = ? AND seed = ?",
                (run, task, cell.perturbation, cell.seed),
            )
            keys = [key for (listed,) in rows for key in json.loads(listed)]
            # A merged ledger keeps refusals of rows that another of its sessions had answered.
            answered = {str(key) for (key,) in self._database.select("key", "completions", keys)}
            refused = self.read(keys) - answered
            reasons = self._database.select("key, told", "refusal_reasons", refused)
            for text in (read_text(told) for _, told in reasons):
                alike = re.sub(r"\d+", "#", text)
                words.setdefault(alike, text)
                found[alike] += 1
        return tuple(RefusalReason(words[alike], rows) for alike, rows in found.most_common())
