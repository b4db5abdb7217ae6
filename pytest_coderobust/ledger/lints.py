"""Sources that linters judged, kept under source, version and configuration."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from pytest_coderobust.ledger.database import Database
from pytest_coderobust.records.codec import decode, encode
from pytest_coderobust.records.lint import LintedSource


class Lints:
    """The judged sources of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, keys: Iterable[str]) -> dict[str, LintedSource]:
        """Reads those of the keys that are there."""
        rows = self._database.select("key, body", "lints", keys)
        return {str(key): decode(LintedSource, json.loads(body)) for key, body in rows}

    def add(self, found: Mapping[str, LintedSource]) -> None:
        """Stores judged sources as one transaction; what is already there stays as it was."""
        self._database.write(
            "INSERT OR IGNORE INTO lints VALUES (?, ?)",
            [(key, json.dumps(encode(each))) for key, each in found.items()],
        )
