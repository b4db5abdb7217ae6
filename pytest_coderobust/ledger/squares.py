"""Observed squares: the observations of runs with the evidence behind them, read row by row.

A run may have millions: nothing here holds more of them than it was asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pytest_coderobust.ledger.database import CHUNK, Database
from pytest_coderobust.ledger.rows import (
    ObservationReader,
    read_text,
    write_observation,
    write_text,
)
from pytest_coderobust.records import Cell, Observation, Square

ORDER = "ORDER BY run, task, perturbation, seed"
OF_RUN = f"SELECT body FROM observations WHERE run = ? {ORDER}"  # noqa: S608  our own words
EVIDENCE = "SELECT task, prompt, completions, verdicts FROM observations"
LEFT_OUT = "SELECT task, sample, statements FROM left_out"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The prompt that was asked, and the keys of its completions and verdicts by sample.

    Attributes:
        left_out: the text of a completion's program that its solution was judged without, by
            sample; only samples that fail have one.
    """

    prompt: str
    completions: tuple[str, ...]
    verdicts: tuple[str, ...]
    left_out: Mapping[int, str] = field(default_factory=dict[int, str])


class ObservedSquares:
    """The observed squares of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, run: str, observation: Observation, evidence: Evidence) -> None:
        """Stores an observation with its evidence; an earlier one of the square is replaced."""
        cell = observation.cell
        identity = (run, observation.task_id, cell.perturbation, cell.seed)
        row = (
            *identity,
            write_observation(observation),
            write_text(evidence.prompt),
            json.dumps(list(evidence.completions)),
            json.dumps(list(evidence.verdicts)),
        )
        texts = [(*identity, at, write_text(text)) for at, text in evidence.left_out.items()]
        self._database.write_all(
            [
                ("INSERT OR REPLACE INTO observations VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [row]),
                ("INSERT OR REPLACE INTO left_out VALUES (?, ?, ?, ?, ?, ?)", texts),
            ]
        )

    def read(self, run: str) -> Iterator[Observation]:
        """Reads the observations of a run, ordered by task, perturbation and seed."""
        reader = ObservationReader()
        for (body,) in self._database.iterate(OF_RUN, (run,)):
            yield reader.read(body)

    def read_of(self, suite: str) -> Iterator[Observation]:
        """Reads the observations of every run of a suite, on any model."""
        query = "SELECT run FROM runs WHERE suite = ? ORDER BY run"
        for (run,) in self._database.read(query, (suite,)):
            yield from self.read(run)

    def read_evidence(self, run: str, squares: Iterable[Square]) -> dict[Square, Evidence]:
        """Reads the evidence of squares; one that was not observed has none."""
        by_cell: dict[Cell, list[str]] = {}
        for task, cell in squares:
            by_cell.setdefault(cell, []).append(task)
        found: dict[Square, Evidence] = {}
        for cell, tasks in by_cell.items():
            for start in range(0, len(tasks), CHUNK):
                found |= self._read_cell(run, cell, tasks[start : start + CHUNK])
        return found

    def _read_cell(self, run: str, cell: Cell, tasks: list[str]) -> dict[Square, Evidence]:
        marks = ", ".join("?" * len(tasks))
        where = f"WHERE run = ? AND task IN ({marks}) AND perturbation = ? AND seed = ?"
        values = (run, *tasks, cell.perturbation, cell.seed)
        left_out: dict[str, dict[int, str]] = {}
        for task, sample, text in self._database.iterate(f"{LEFT_OUT} {where}", values):
            left_out.setdefault(task, {})[int(sample)] = read_text(text)
        rows = self._database.iterate(f"{EVIDENCE} {where}", values)
        return {
            (task, cell): Evidence(
                read_text(prompt),
                tuple(json.loads(completions)),
                tuple(json.loads(verdicts)),
                left_out.get(task, {}),
            )
            for task, prompt, completions, verdicts in rows
        }
