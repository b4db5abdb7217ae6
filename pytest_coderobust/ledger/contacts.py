"""Contacts with served models: what each answered when it was first met, and its generations."""

from __future__ import annotations

import secrets

from pytest_coderobust.ledger.database import Database


class Contacts:
    """The contacts of one ledger with served models.

    A model is named by the digest of its identity; a subject by the digest of what can be seen of
    it, which several generations of models may share.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, model: str) -> str | None:
        """Reads what is kept of a model's first contact; None before it."""
        rows = self._database.read("SELECT body FROM contacts WHERE model = ?", (model,))
        return str(rows[0][0]) if rows else None

    def write(self, model: str, body: str, seen: float) -> None:
        """Keeps a first contact, or more of it; `seen` stays as it was where it is there."""
        self._database.write(
            "INSERT INTO contacts VALUES (?, ?, ?) "
            "ON CONFLICT (model) DO UPDATE SET body = excluded.body",
            [(model, body, seen)],
        )

    def seen(self, model: str) -> float | None:
        """Reads when a model was last found to be the same, in seconds of the epoch."""
        rows = self._database.read("SELECT seen FROM contacts WHERE model = ?", (model,))
        return float(rows[0][0]) if rows else None

    def generation(self, subject: str) -> str:
        """Reads the latest generation of a subject: 32 digits; "" where it has none."""
        rows = self._database.read(
            "SELECT id FROM generations WHERE subject = ? ORDER BY number DESC LIMIT 1", (subject,)
        )
        return str(rows[0][0]) if rows else ""

    def begin_generation(self, subject: str, now: float, since: float) -> str:
        """Makes 16 random bytes the latest generation, unless one was made from `since` on.

        Processes of one session give the same `since`, and so make one generation together.

        Returns:
            The latest generation.
        """
        with self._database.transaction() as run:
            run(
                "INSERT INTO generations (subject, id, made) SELECT ?, ?, ? WHERE NOT EXISTS "
                "(SELECT 1 FROM generations WHERE subject = ? AND made >= ?)",
                (subject, secrets.token_hex(16), now, subject, since),
            )
        return self.generation(subject)
