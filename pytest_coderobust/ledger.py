"""The only memory: an append-only SQLite store of completions, verdicts and observations.

Rows are keyed by content (see `pytest_coderobust.engine.keys`), so a result can never answer for
another model, prompt or judge. WAL mode: every commit survives the death of the process, and
readers never wait for the writer. The generation lease is a lock of the operating system, which
frees it when its holder dies.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from filelock import FileLock

from pytest_coderobust.errors import LedgerError
from pytest_coderobust.records import (
    Adoption,
    ApiUse,
    Cell,
    Completion,
    FailureKind,
    Finish,
    Level,
    ModelIdentity,
    Observation,
    Status,
    Verdict,
)

SCHEMA = 3
"""Raised whenever a table changes its meaning; a ledger of another schema is refused."""

BUSY_MS = 60_000
CHUNK = 500
"""Keys a query: SQLite allows 999 variables where it was built long ago."""

_TABLES = """
CREATE TABLE IF NOT EXISTS completions (
    key TEXT PRIMARY KEY, text BLOB NOT NULL, finish TEXT NOT NULL, tokens INTEGER NOT NULL
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
"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The prompt that was asked, and the keys of its completions and verdicts by sample."""

    prompt: str
    completions: tuple[str, ...]
    verdicts: tuple[str, ...]


class Ledger:
    """One process's connection to the store.

    Args:
        path: the SQLite file; its folder is made when missing.

    Raises:
        LedgerError: the file is no ledger, or one of another schema.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lease = FileLock(f"{path}.lease")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Autocommit: transactions are opened by hand, so that none is ever left open.
            self._db = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None)
            # Becoming a WAL file ignores the busy timeout, so those who open together take turns.
            with FileLock(f"{path}.opening"):
                self._open()
        except (sqlite3.DatabaseError, OSError) as error:
            raise LedgerError(f"{path} cannot be used as a ledger: {error}") from None

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def lease(self) -> Generator[None]:
        """Holds the right to generate; one process at a time has it, and may take it again."""
        with self._lease:
            yield

    def completions(self, keys: Iterable[str]) -> dict[str, Completion]:
        """The stored completions among `keys`."""
        rows = self._select("key, text, finish, tokens", "completions", keys)
        return {
            key: Completion(_text(text), cast("Finish", finish), tokens)
            for key, text, finish, tokens in rows
        }

    def add_completions(self, found: Mapping[str, Completion]) -> None:
        """Stores a batch as one transaction; what is already there stays as it was."""
        self._write(
            "INSERT OR IGNORE INTO completions VALUES (?, ?, ?, ?)",
            [(key, _blob(c.text), c.finish, c.tokens) for key, c in found.items()],
        )

    def verdicts(self, keys: Iterable[str]) -> dict[str, Verdict]:
        """The stored verdicts among `keys`."""
        columns = (
            "key, level, passed, total, failure, detail, tier, cpu_seconds, api_uses, in_process"
        )
        return {row[0]: _verdict(*row[1:]) for row in self._select(columns, "verdicts", keys)}

    def add_verdicts(self, found: Mapping[str, Verdict]) -> None:
        """Stores verdicts as one transaction; what is already there stays as it was."""
        self._write(
            "INSERT OR IGNORE INTO verdicts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    key,
                    v.level.value,
                    v.passed,
                    v.total,
                    v.failure,
                    _blob(v.detail),
                    v.tier,
                    v.cpu_seconds,
                    json.dumps([[use.old, use.new] for use in v.api_uses]),
                    v.in_process,
                )
                for key, v in found.items()
            ],
        )

    def describe(self, run: str, suite: str, model: ModelIdentity, tier: str) -> None:
        """Says once what a run's digest stands for."""
        shown = {"name": model.name, "digest": model.digest, "facts": dict(model.facts)}
        body = json.dumps({"model": shown, "tier": tier})
        self._write("INSERT OR IGNORE INTO runs VALUES (?, ?, ?)", [(run, suite, body)])

    def description(self, run: str) -> tuple[ModelIdentity, str] | None:
        """The model and the isolation tier of a run, or None when it is unknown."""
        row = self._db.execute("SELECT description FROM runs WHERE run = ?", (run,)).fetchone()
        if row is None:
            return None
        body = json.loads(row[0])
        return ModelIdentity(**body["model"]), str(body["tier"])

    def keep_edit(self, run: str, name: str, body: str) -> None:
        """Stores what is known of an edit of a run; a later word replaces an earlier one."""
        self._write("INSERT OR REPLACE INTO edits VALUES (?, ?, ?)", [(run, name, body)])

    def edits(self, run: str) -> dict[str, str]:
        """What is known of a run's edits, by name."""
        query = "SELECT name, body FROM edits WHERE run = ? ORDER BY name"
        return dict(self._db.execute(query, (run,)).fetchall())

    def observe(
        self,
        run: str,
        observation: Observation,
        *,
        prompt: str = "",
        completions: Sequence[str] = (),
        verdicts: Sequence[str] = (),
    ) -> None:
        """Stores what was measured, with the prompt and the keys of what it was measured from."""
        cell = observation.cell
        identity = (run, observation.task_id, cell.perturbation, cell.seed)
        body = json.dumps(asdict(observation), sort_keys=True)
        evidence = (_blob(prompt), json.dumps(list(completions)), json.dumps(list(verdicts)))
        self._write(
            "INSERT OR REPLACE INTO observations VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(*identity, body, *evidence)],
        )

    def observations(self, run: str) -> tuple[Observation, ...]:
        """Every observation of a run, ordered by task, perturbation and seed."""
        rows = self._db.execute(
            "SELECT body FROM observations WHERE run = ? ORDER BY task, perturbation, seed", (run,)
        )
        return tuple(_observation(body) for (body,) in rows)

    def conclude(self, run: str, body: str) -> None:
        """Stores what a session concluded about a run; saying it again makes it the latest."""
        self._write("INSERT OR REPLACE INTO conclusions (run, body) VALUES (?, ?)", [(run, body)])

    def conclusions(self) -> tuple[tuple[str, str], ...]:
        """The run and the body of every conclusion, the oldest first."""
        rows = self._db.execute("SELECT run, body FROM conclusions ORDER BY number")
        return tuple((str(run), str(body)) for run, body in rows)

    def evidence(self, run: str, task: str, cell: Cell) -> Evidence | None:
        """What an observation was measured from; None where there is no such observation."""
        row = self._db.execute(
            "SELECT prompt, completions, verdicts FROM observations"
            " WHERE run = ? AND task = ? AND perturbation = ? AND seed = ?",
            (run, task, cell.perturbation, cell.seed),
        ).fetchone()
        if row is None:
            return None
        prompt, completions, verdicts = row
        return Evidence(_text(prompt), tuple(json.loads(completions)), tuple(json.loads(verdicts)))

    def observations_of(self, suite: str) -> tuple[Observation, ...]:
        """Every observation of every run of a suite, whatever the model."""
        rows = self._db.execute(
            "SELECT body FROM observations WHERE run IN (SELECT run FROM runs WHERE suite = ?) "
            "ORDER BY run, task, perturbation, seed",
            (suite,),
        )
        return tuple(_observation(body) for (body,) in rows)

    def _open(self) -> None:
        self._db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        (schema,) = self._db.execute("PRAGMA user_version").fetchone()
        if schema not in (0, SCHEMA):
            raise LedgerError(
                f"{self.path} is a ledger of schema {schema}, this version writes schema {SCHEMA}; "
                "name another file with --coderobust-ledger"
            )
        self._db.executescript(_TABLES)
        self._db.execute(f"PRAGMA user_version = {SCHEMA}")

    def _select(self, columns: str, table: str, keys: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        wanted = list(dict.fromkeys(keys))
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            marks = ", ".join("?" * len(chunk))
            # Column and table names are this module's own literals, never input.
            yield from self._db.execute(
                f"SELECT {columns} FROM {table} WHERE key IN ({marks})",  # noqa: S608
                chunk,
            )

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if not rows:
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(statement, rows)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _observation(body: str) -> Observation:
    fields = json.loads(body)
    cell = Cell(**fields.pop("cell"))
    adoptions = tuple(map(Adoption, fields.pop("adoptions")))
    status = Status(fields.pop("status"))
    return Observation(cell=cell, status=status, adoptions=adoptions, **fields)


def _verdict(
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
    return Verdict(
        Level(level),
        passed,
        total,
        cast("FailureKind", failure),
        _text(detail),
        tier,
        cpu,
        tuple(ApiUse(*use) for use in json.loads(uses)),
        bool(in_process),
    )


def _blob(text: str) -> bytes:
    """Text as bytes; lone surrogates and NUL survive, which SQLite's TEXT would not grant."""
    return text.encode("utf-8", "surrogatepass")


def _text(blob: bytes) -> str:
    return blob.decode("utf-8", "surrogatepass")
