"""The file behind the ledger: its tables, and reads and writes that outlive any process.

WAL mode: every commit survives the death of the process, and readers never wait for the writer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from pytest_coderobust.errors import LedgerError

SCHEMA = 3
"""Raised whenever a table changes its meaning; a ledger of another schema is refused."""

BUSY_MS = 60_000
CHUNK = 500
"""Keys a query: SQLite allows 999 variables where it was built long ago."""

TABLES = """
CREATE TABLE IF NOT EXISTS completions (
    key TEXT PRIMARY KEY, text BLOB NOT NULL, finish TEXT NOT NULL, tokens INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS thoughts (
    key TEXT PRIMARY KEY, thought_tokens INTEGER NOT NULL, opened BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS verdicts (
    key TEXT PRIMARY KEY, level TEXT NOT NULL, passed INTEGER NOT NULL, total INTEGER NOT NULL,
    failure TEXT NOT NULL, detail BLOB NOT NULL, tier TEXT NOT NULL, cpu_seconds REAL NOT NULL,
    api_uses TEXT NOT NULL, in_process INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS observations (
    run TEXT NOT NULL, task TEXT NOT NULL, perturbation TEXT NOT NULL, seed INTEGER NOT NULL,
    body TEXT NOT NULL, prompt BLOB NOT NULL, completions TEXT NOT NULL, verdicts TEXT NOT NULL,
    PRIMARY KEY (run, task, perturbation, seed)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS left_out (
    run TEXT NOT NULL, task TEXT NOT NULL, perturbation TEXT NOT NULL, seed INTEGER NOT NULL,
    sample INTEGER NOT NULL, statements BLOB NOT NULL,
    PRIMARY KEY (run, task, perturbation, seed, sample)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS edits (
    run TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (run, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
    run TEXT PRIMARY KEY, suite TEXT NOT NULL, description TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS conclusions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (run, body)
);
CREATE TABLE IF NOT EXISTS intervals (
    number INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, began REAL NOT NULL,
    ended REAL, state TEXT NOT NULL DEFAULT 'open'
);
CREATE TABLE IF NOT EXISTS asked (
    key TEXT PRIMARY KEY, interval INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contacts (
    model TEXT PRIMARY KEY, body TEXT NOT NULL, seen REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS generations (
    number INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, id TEXT NOT NULL,
    made REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS waves (
    session TEXT NOT NULL, run TEXT NOT NULL, wave INTEGER NOT NULL, tasks INTEGER NOT NULL,
    PRIMARY KEY (session, run, wave)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lints (
    key TEXT PRIMARY KEY, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refusals (
    key TEXT PRIMARY KEY, session TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refusal_reasons (
    key TEXT PRIMARY KEY, told BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS usage (
    run TEXT NOT NULL, session TEXT NOT NULL, requests INTEGER NOT NULL, retries INTEGER NOT NULL,
    input INTEGER NOT NULL, cached INTEGER NOT NULL, output INTEGER NOT NULL,
    reasoning INTEGER NOT NULL, seconds REAL NOT NULL, estimated INTEGER NOT NULL,
    wall REAL NOT NULL, cost REAL, unsure_cost REAL NOT NULL, unsure_tokens INTEGER NOT NULL,
    PRIMARY KEY (run, session)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS watching (
    run TEXT NOT NULL, session TEXT NOT NULL, requests INTEGER NOT NULL, retries INTEGER NOT NULL,
    input INTEGER NOT NULL, cached INTEGER NOT NULL, output INTEGER NOT NULL,
    reasoning INTEGER NOT NULL, seconds REAL NOT NULL, estimated INTEGER NOT NULL,
    wall REAL NOT NULL, cost REAL, unsure_cost REAL NOT NULL, unsure_tokens INTEGER NOT NULL,
    PRIMARY KEY (run, session)
) WITHOUT ROWID;
"""

Statement = tuple[str, Sequence[tuple[object, ...]]]
"""SQL, and the rows of values that it is run with."""

Transaction = Callable[..., list[tuple[Any, ...]]]
"""Runs one statement, with its values if it has any, within a transaction; returns its rows."""


class Database:
    """One process's connection to a ledger's SQLite file.

    Args:
        path: the file; its folder is made when missing.

    Raises:
        LedgerError: the file is not a valid ledger, or one of another schema; from every method
            where the file shows to be damaged, locked or on a full disk.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Autocommit: transactions are opened by hand, so that none is ever left open.
            self._connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None)
            # Changing to WAL ignores the busy timeout, so processes that open together take turns.
            with FileLock(f"{path}.opening"):
                self._open(path)
        except (sqlite3.DatabaseError, OSError) as error:
            raise LedgerError(f"{path} cannot be used as a ledger: {error}") from None

    def close(self) -> None:
        self._connection.close()

    def read(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Reads the rows that a query finds."""
        with self._damage_as_ledger_error():
            return self._connection.execute(query, values).fetchall()

    def iterate(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Reads the rows that a query finds one after the other, and holds none of them."""
        with self._damage_as_ledger_error():
            yield from self._connection.execute(query, values)

    def select(self, columns: str, table: str, keys: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        """Reads the rows of a table under these keys; a missing key has none."""
        wanted = list(dict.fromkeys(keys))
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            marks = ", ".join("?" * len(chunk))
            # Column and table names are the ledger's own literals, never input.
            yield from self.iterate(
                f"SELECT {columns} FROM {table} WHERE key IN ({marks})",  # noqa: S608
                chunk,
            )

    def write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Writes all rows in one transaction, or none."""
        self.write_all([(statement, rows)])

    def write_all(self, parts: Sequence[Statement]) -> None:
        """Writes the rows of several statements in one transaction, or none."""
        given = [(statement, rows) for statement, rows in parts if rows]
        if given:
            with self._transaction() as connection:
                for statement, rows in given:
                    connection.executemany(statement, rows)

    def attach(self, path: Path) -> None:
        """Makes another ledger's tables readable as those of `part`."""
        with self._damage_as_ledger_error():
            self._connection.execute("ATTACH DATABASE ? AS part", (str(path),))

    def detach(self) -> None:
        """Lets the other ledger go."""
        self._connection.execute("DETACH DATABASE part")

    @contextmanager
    def transaction(self) -> Generator[Transaction]:
        """Runs statements of which all hold, or none; others write before or after them."""
        with self._transaction() as connection:

            def run(statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
                return connection.execute(statement, values).fetchall()

            yield run

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with self._damage_as_ledger_error():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:  # a full disk ends it by itself
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _damage_as_ledger_error(self) -> Generator[None]:
        """Turns the error of a damaged file or a full disk into one sentence."""
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # a mistake of ours
        except sqlite3.DatabaseError as error:
            raise LedgerError(f"{self._path} cannot be used as a ledger: {error}") from None

    def _open(self, path: Path) -> None:
        self._connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        (schema,) = self._connection.execute("PRAGMA user_version").fetchone()
        if schema not in (0, SCHEMA):
            raise LedgerError(
                f"{path} is a ledger of schema {schema}, this version writes schema {SCHEMA}; "
                "name another file with --coderobust-ledger"
            )
        self._connection.executescript(TABLES)
        self._connection.execute(f"PRAGMA user_version = {SCHEMA}")
