"""Bills: what each session asked of served models, by run."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

from pytest_coderobust.ledger.database import Database, Statement
from pytest_coderobust.records import Bill, Usage

COLUMNS = (
    "requests, retries, input, cached, output, reasoning, seconds, estimated, wall, cost, "
    "unsure_cost, unsure_tokens"
)

# A cost of NULL is "no price": it stays only where neither row has one.
ADD = """
INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
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


class Bills:
    """The bills of one ledger.

    Args:
        session: books what is asked now.
    """

    def __init__(self, database: Database, session: str) -> None:
        self._database = database
        self._session = session

    def make_addition(self, run: str, bill: Bill) -> Statement:
        """Makes the statement that adds to what this session asked for a run."""
        unsure = (bill.unsure_cost, bill.unsure_tokens)
        return ADD, [(run, self._session, *astuple(bill.usage), bill.wall, bill.cost, *unsure)]

    def of_run(self, run: str) -> Bill | None:
        """Sums what was asked for a run in all sessions; None where no server was asked."""
        return self._sum("run", run)

    def of_session(self) -> Bill | None:
        """Sums what this session asked for all runs; None where it asked no server."""
        return self._sum("session", self._session)

    def _sum(self, column: str, value: str) -> Bill | None:
        query = f"SELECT {COLUMNS} FROM usage WHERE {column} = ?"  # noqa: S608  our own words
        bills = [_read(*columns) for columns in self._database.read(query, (value,))]
        return sum(bills[1:], bills[0]) if bills else None


def _read(*columns: Any) -> Bill:
    *usage, wall, cost, unsure_cost, unsure_tokens = columns
    return Bill(Usage(*usage), wall, cost, 1, unsure_cost, unsure_tokens)
