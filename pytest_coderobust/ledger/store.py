"""The store: completions, verdicts, observations, edits and conclusions, each under its key."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from pytest_coderobust.ledger.bills import Bills
from pytest_coderobust.ledger.contacts import Contacts
from pytest_coderobust.ledger.database import Database
from pytest_coderobust.ledger.inserts import list_inserts
from pytest_coderobust.ledger.intervals import Intervals
from pytest_coderobust.ledger.lints import Lints
from pytest_coderobust.ledger.refusals import Refusals
from pytest_coderobust.ledger.rows import (
    COMPLETION_COLUMNS,
    COMPLETION_TABLES,
    VERDICT_COLUMNS,
    make_verdict_row,
    read_completion,
    read_verdict,
)
from pytest_coderobust.ledger.squares import Evidence, ObservedSquares
from pytest_coderobust.ledger.waves import Waves
from pytest_coderobust.records import Bill, Cell, Completion, ModelIdentity, Observation, Verdict
from pytest_coderobust.records.codec import decode, encode

REFUSED = Completion("", "refused")


class Ledger:
    """One process's connection to the store.

    Args:
        path: the SQLite file; its folder is made when missing.
        session: names the session that reads and writes, in all its processes. Answers that a
            server refused to an earlier session are then missing, so that they are asked again;
            without a name every refusal is read.

    Raises:
        LedgerError: the file is not a valid ledger, or one of another schema.
    """

    def __init__(self, path: Path, session: str = "") -> None:
        self.path = path
        self.session = session
        self._lease = FileLock(f"{path}.lease")
        self._database = Database(path)
        self.intervals = Intervals(self._database)
        self.contacts = Contacts(self._database)
        self.bills = Bills(self._database, session)
        self.waves = Waves(self._database, session)
        self.lints = Lints(self._database)
        self.refusals = Refusals(self._database, session)
        self.squares = ObservedSquares(self._database)

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def lease(self) -> Generator[None]:
        """Holds the right to generate; one process at a time has it, and may take it again."""
        with self._lease:
            yield

    def completions(self, keys: Iterable[str]) -> dict[str, Completion]:
        """Reads the stored completions among `keys`, refused ones too."""
        wanted = list(keys)
        rows = self._database.select(COMPLETION_COLUMNS, COMPLETION_TABLES, wanted)
        found = {key: read_completion(*columns) for key, *columns in rows}
        if missing := [key for key in wanted if key not in found]:
            found |= dict.fromkeys(self.refusals.read(missing), REFUSED)
        return found

    def find_completions(self, keys: Iterable[str]) -> set[str]:
        """Finds the keys among these that `completions` reads; no text is read."""
        wanted = set(keys)
        found = {key for (key,) in self._database.select("key", "completions", wanted)}
        return found | self.refusals.read(wanted - found)

    def add_completions(
        self, found: Mapping[str, Completion], *, interval: int | None = None
    ) -> None:
        """Stores a batch as one transaction; what is already there stays as it was.

        Args:
            interval: the open interval that what was not there before was asked in.
        """
        self._database.write_all(list_inserts(found, interval))

    def add_answers(
        self,
        found: Mapping[str, Completion],
        run: str,
        bill: Bill,
        *,
        interval: int | None = None,
        told: Mapping[str, str] | None = None,
    ) -> None:
        """Stores answers of a server with their price, as one transaction.

        A completion that is there already stays as it was. A refused one is remembered for this
        session.

        Args:
            interval: as `add_completions`.
            told: the server's words about those that it refused, by key.
        """
        written = {key: each for key, each in found.items() if not each.refused}
        refused = [key for key in found if key not in written]
        self._database.write_all(
            [
                *list_inserts(written, interval),
                *self.refusals.make_additions(refused, told or {}),
                self.bills.make_addition(run, bill),
            ]
        )

    def verdicts(self, keys: Iterable[str]) -> dict[str, Verdict]:
        """Reads the stored verdicts among `keys`."""
        rows = self._database.select(VERDICT_COLUMNS, "verdicts", keys)
        return {key: read_verdict(*columns) for key, *columns in rows}

    def find_verdicts(self, keys: Iterable[str]) -> set[str]:
        """Finds the keys among these that have a verdict."""
        return {key for (key,) in self._database.select("key", "verdicts", keys)}

    def add_verdicts(self, found: Mapping[str, Verdict]) -> None:
        """Stores verdicts as one transaction; what is already there stays as it was."""
        self._database.write(
            "INSERT OR IGNORE INTO verdicts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [make_verdict_row(key, verdict) for key, verdict in found.items()],
        )

    def describe(self, run: str, suite: str, model: ModelIdentity, tier: str) -> None:
        """Stores the model and the tier of a run; the first description stays."""
        body = json.dumps({"model": encode(model), "tier": tier})
        self._database.write("INSERT OR IGNORE INTO runs VALUES (?, ?, ?)", [(run, suite, body)])

    def add_fact(self, run: str, name: str, value: str) -> None:
        """Adds a fact about the model of a run that is described; the latest value stays."""
        found = self.description(run)
        if found is not None and found[0].facts.get(name) != value:
            model, tier = found
            facts = {**model.facts, name: value}
            body = json.dumps({"model": encode(replace(model, facts=facts)), "tier": tier})
            self._database.write("UPDATE runs SET description = ? WHERE run = ?", [(body, run)])

    def description(self, run: str) -> tuple[ModelIdentity, str] | None:
        """Reads the model and the isolation tier of a run; None where it is unknown."""
        rows = self._database.read("SELECT description FROM runs WHERE run = ?", (run,))
        if not rows:
            return None
        body = json.loads(rows[0][0])
        return decode(ModelIdentity, body["model"]), str(body["tier"])

    def keep_edit(self, run: str, name: str, body: str) -> None:
        """Stores the record of an edit of a run; a later one replaces an earlier one."""
        self._database.write("INSERT OR REPLACE INTO edits VALUES (?, ?, ?)", [(run, name, body)])

    def edits(self, run: str) -> dict[str, str]:
        """Reads the records of a run's edits, by name."""
        query = "SELECT name, body FROM edits WHERE run = ? ORDER BY name"
        return {str(name): str(body) for name, body in self._database.read(query, (run,))}

    def observe(
        self,
        run: str,
        observation: Observation,
        *,
        prompt: str = "",
        completions: Sequence[str] = (),
        verdicts: Sequence[str] = (),
        left_out: Mapping[int, str] | None = None,
    ) -> None:
        """Stores an observation with its evidence, as `Evidence` describes it."""
        evidence = Evidence(prompt, tuple(completions), tuple(verdicts), left_out or {})
        self.squares.add(run, observation, evidence)

    def observations(self, run: str) -> tuple[Observation, ...]:
        """Reads every observation of a run, ordered by task, perturbation and seed."""
        return tuple(self.squares.read(run))

    def conclude(self, run: str, body: str) -> None:
        """Stores the conclusion of a session about a run; stored again it is the latest."""
        self._database.write(
            "INSERT OR REPLACE INTO conclusions (run, body) VALUES (?, ?)", [(run, body)]
        )

    def conclusions(self) -> tuple[tuple[str, str], ...]:
        """Reads the run and the body of every conclusion, the oldest first."""
        rows = self._database.read("SELECT run, body FROM conclusions ORDER BY number")
        return tuple((str(run), str(body)) for run, body in rows)

    def evidence(self, run: str, task: str, cell: Cell) -> Evidence | None:
        """Reads the evidence of an observation; None where there is no such observation."""
        return self.squares.read_evidence(run, [(task, cell)]).get((task, cell))
