"""Waves: the tasks of each wave of a served model's run, so that all processes ask the same."""

from __future__ import annotations

from pytest_coderobust.ledger.database import Database


class Waves:
    """The waves of one session in one ledger.

    How far a budget in money goes depends on what servers count, and one process alone finds that
    out: it notes each wave before it asks, and every other one reads the note.
    """

    def __init__(self, database: Database, session: str) -> None:
        self._database = database
        self._session = session

    def read(self, run: str) -> tuple[int, ...]:
        """Reads the tasks of each wave of a run so far, in order."""
        query = "SELECT tasks FROM waves WHERE session = ? AND run = ? ORDER BY wave"
        rows = self._database.read(query, (self._session, run))
        return tuple(int(tasks) for (tasks,) in rows)

    def note(self, run: str, wave: int, tasks: int) -> None:
        """Notes the next wave; one that is noted already stays as it is."""
        self._database.write(
            "INSERT OR IGNORE INTO waves VALUES (?, ?, ?, ?)", [(self._session, run, wave, tasks)]
        )
