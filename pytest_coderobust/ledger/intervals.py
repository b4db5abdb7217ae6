"""Intervals: the answers of a served model between two good looks stand or fall together."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from pytest_coderobust.ledger.database import Database, Transaction
from pytest_coderobust.records import CLEAN

PAGE = """
SELECT run, task, perturbation, seed, completions FROM observations
WHERE (run, task, perturbation, seed) > (?, ?, ?, ?)
ORDER BY run, task, perturbation, seed LIMIT 5000
"""


class Intervals:
    """The intervals of every served model in one ledger.

    A model is named by the digest of its identity. An interval is open while its answers wait for
    the look that decides about them.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, model: str, began: float) -> int:
        """Opens an interval; returns its number."""
        with self._database.transaction() as run:
            run("INSERT INTO intervals (model, began) VALUES (?, ?)", (model, began))
            return int(run("SELECT last_insert_rowid()")[0][0])

    def open(self, model: str) -> tuple[int, ...]:
        """Reads the numbers of a model's open intervals, the oldest first."""
        query = "SELECT number FROM intervals WHERE model = ? AND state = 'open' ORDER BY number"
        return tuple(int(number) for (number,) in self._database.read(query, (model,)))

    def forgotten(self, model: str) -> float | None:
        """Reads when answers of a model were last taken back; None where none ever were."""
        query = "SELECT max(ended) FROM intervals WHERE model = ? AND state = 'forgotten'"
        ((ended,),) = self._database.read(query, (model,))
        return None if ended is None else float(ended)

    def keep(self, model: str, ended: float) -> None:
        """Closes a model's open intervals after a good look; their answers stay."""
        with self._database.transaction() as run:
            run(
                "UPDATE intervals SET state = 'good', ended = ? WHERE model = ? AND state = 'open'",
                (ended, model),
            )
            run("UPDATE contacts SET seen = ? WHERE model = ?", (ended, model))

    def forget(self, model: str, ended: float) -> int:
        """Closes a model's open intervals and takes their answers back, in one transaction.

        What was made of an answer goes with it: its observation, where the answer was to a clean
        prompt those of the task's other cells, and what sessions concluded about that run. A
        verdict stays: it is about a solution, whoever wrote it.

        Returns:
            The number of answers.
        """
        with self._database.transaction() as run:
            marks = "(SELECT number FROM intervals WHERE model = ? AND state = 'open')"
            asked = run(f"SELECT key FROM asked WHERE interval IN {marks}", (model,))  # noqa: S608
            keys = {str(key) for (key,) in asked}
            for key in keys:
                run("DELETE FROM completions WHERE key = ?", (key,))
                run("DELETE FROM thoughts WHERE key = ?", (key,))
            _forget_observations(run, keys)
            run(f"DELETE FROM asked WHERE interval IN {marks}", (model,))  # noqa: S608
            # Where nothing is open, other processes learn all the same that the model was another.
            run(
                "INSERT INTO intervals (model, began) SELECT ?, ? WHERE NOT EXISTS "
                "(SELECT 1 FROM intervals WHERE model = ? AND state = 'open')",
                (model, ended, model),
            )
            run(
                "UPDATE intervals SET state = 'forgotten', ended = ? "
                "WHERE model = ? AND state = 'open'",
                (ended, model),
            )
        return len(keys)


def _forget_observations(run: Transaction, keys: Collection[str]) -> None:
    """Deletes the observations that these answers are behind, and their runs' conclusions."""
    rows = _page_observations(run)
    hit = [row[:4] for row in rows if not set(json.loads(row[4])).isdisjoint(keys)]
    for of_run, task, perturbation, seed in hit:
        # A row that only the clean answers decided stands on them as well.
        chosen = "" if perturbation == CLEAN else " AND perturbation = ? AND seed = ?"
        values = (of_run, task) if perturbation == CLEAN else (of_run, task, perturbation, seed)
        for table in ("observations", "left_out"):
            run(f"DELETE FROM {table} WHERE run = ? AND task = ?{chosen}", values)  # noqa: S608
    for of_run in {row[0] for row in hit}:
        run("DELETE FROM conclusions WHERE run = ?", (of_run,))


def _page_observations(run: Transaction) -> Iterator[tuple[Any, ...]]:
    """Reads the squares of all observations with the keys behind them, a page at a time."""
    after: tuple[Any, ...] = ("", "", "", -1)
    while rows := run(PAGE, after):
        yield from rows
        after = rows[-1][:4]
