"""Bills: what each session asked of served models, by run."""

from __future__ import annotations

from dataclasses import astuple, replace
from functools import reduce
from operator import add
from typing import Any, Literal

from pytest_coderobust.ledger.database import Database, Statement
from pytest_coderobust.records import Bill, Usage

BillTable = Literal["usage", "watching"]
"""Rows of suites, and requests that got to know a model or watched over it."""

COLUMNS = (
    "requests, retries, input, cached, output, reasoning, seconds, estimated, wall, cost, "
    "unsure_cost, unsure_tokens"
)

# A cost of NULL is "no price": it stays only where neither row has one.
SUM = """
ON CONFLICT (run, session) DO UPDATE SET
    requests = requests + excluded.requests, retries = retries + excluded.retries,
    input = input + excluded.input, cached = cached + excluded.cached,
    output = output + excluded.output, reasoning = reasoning + excluded.reasoning,
    seconds = seconds + excluded.seconds, estimated = estimated + excluded.estimated,
    wall = wall + excluded.wall,
    unsure_cost = unsure_cost + excluded.unsure_cost,
    unsure_tokens = unsure_tokens + excluded.unsure_tokens,
    cost = coalesce(cost + excluded.cost, cost, excluded.cost)
"""
NOBODY = ""
"""Run of what is asked before it is known for which: the handshake comes before any key."""


class Bills:
    """The bills of one ledger.

    Args:
        session: books what is asked now.
    """

    def __init__(self, database: Database, session: str) -> None:
        self._database = database
        self._session = session

    def make_addition(self, run: str, bill: Bill, table: BillTable = "usage") -> Statement:
        """Makes the statement that adds to what this session asked for a run."""
        unsure = (bill.unsure_cost, bill.unsure_tokens)
        values = (run, self._session, *astuple(bill.usage), bill.wall, bill.cost, *unsure)
        marks = ", ".join("?" * len(values))
        statement = f"INSERT INTO {table} VALUES ({marks}) {SUM}"  # noqa: S608  our own words
        return statement, [values]

    def watch(self, run: str, bill: Bill) -> None:
        """Books at once what a request that watches over a model cost.

        Args:
            run: `NOBODY` as long as no run is known.
        """
        self._database.write_all([self.make_addition(run, bill, "watching")])

    def claim(self, run: str) -> None:
        """Books on a run what this session asked for none that was known."""
        moved = (
            f"INSERT INTO watching SELECT ?, session, {COLUMNS} FROM watching "  # noqa: S608
            f"WHERE run = ? AND session = ? {SUM}"
        )
        with self._database.transaction() as write:
            write(moved, (run, NOBODY, self._session))
            write("DELETE FROM watching WHERE run = ? AND session = ?", (NOBODY, self._session))

    def of_run(self, run: str) -> Bill | None:
        """Sums what was asked for a run in all sessions; None where no server was asked."""
        return self._sum("run", run)

    def of_session(self) -> Bill | None:
        """Sums what this session asked for all runs; None where it asked no server."""
        return self._sum("session", self._session)

    def _sum(self, column: str, value: str) -> Bill | None:
        rows = self._read("usage", column, value)
        watched = [
            (session, replace(bill, watching=bill.usage))
            for session, bill in self._read("watching", column, value)
        ]
        if not (found := rows + watched):
            return None
        whole = reduce(add, [bill for _, bill in found])
        return replace(whole, sessions=len({session for session, _ in found}))

    def _read(self, table: BillTable, column: str, value: str) -> list[tuple[str, Bill]]:
        query = f"SELECT session, {COLUMNS} FROM {table} WHERE {column} = ?"  # noqa: S608
        return [
            (str(session), _make_bill(*columns))
            for session, *columns in self._database.read(query, (value,))
        ]


def _make_bill(*columns: Any) -> Bill:
    *usage, wall, cost, unsure_cost, unsure_tokens = columns
    return Bill(Usage(*usage), wall, cost, 1, unsure_cost, unsure_tokens)
