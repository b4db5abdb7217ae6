"""Conclusions in a ledger that was damaged: one sentence, and never the number of another square."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from support.report_runs import make_report

from pytest_coderobust.errors import LedgerError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.results.conclusion import read_conclusions


@pytest.mark.parametrize("square", [[0, 99], [2, 0], [-1, 0], [0, -1], ["0", 0]])
def test_squares_that_the_run_does_not_have(square: list[object], tmp_path: Path) -> None:
    make_report(tmp_path, {"T/0": {"clean": 1, "C1-s0": 0}, "T/1": {"clean": 0, "C1-s0": 0}})
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as connection:
        ((body,),) = connection.execute("SELECT body FROM conclusions").fetchall()
        document = json.loads(body) | {"seen": [[0, 0], square]}
        connection.execute("UPDATE conclusions SET body = ?", (json.dumps(document),))
    connection.close()
    ledger = Ledger(path)
    (stored,) = read_conclusions(ledger)
    with pytest.raises(LedgerError, match=r"the conclusion about run .* cannot be read"):
        stored.report()
    ledger.close()
