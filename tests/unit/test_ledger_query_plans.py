"""The ledger's queries at work: each finds its rows by an index, however many there are."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_coderobust.ledger import Ledger, merging
from pytest_coderobust.ledger.database import Database
from pytest_coderobust.ledger.merging import merge_ledgers
from pytest_coderobust.records import (
    Bill,
    Cell,
    Completion,
    Level,
    ModelIdentity,
    Observation,
    Status,
    Usage,
    Verdict,
)

GROWING = (
    "completions", "thoughts", "verdicts", "observations", "left_out", "asked", "lints",
    "refusals", "refusal_reasons",
)  # fmt: skip
"""Tables with a row for each completion, verdict or observation."""

KEYS = [f"key{number}" for number in range(700)]
VERDICT = Verdict(Level.FULL, 1, 1)
CELLS = (Cell(), Cell("C1", 0), Cell("C1", 1))


def observe(ledger: Ledger) -> None:
    for number in range(50):
        for cell in CELLS:
            status = Status.SOLVED if cell.is_clean else Status.BROKEN
            ledger.observe(
                "run",
                Observation(f"T/{number}", cell, status, 1, 1, 1, 1),
                completions=[f"key{number}"],
                verdicts=[f"key{number}"],
                left_out={0: "print()"},
            )


def forget(ledger: Ledger) -> None:
    interval = ledger.intervals.begin("model", 1.0)
    ledger.add_completions({"late": Completion("x", "eos")}, interval=interval)
    ledger.intervals.forget("model", 2.0)


def answer(ledger: Ledger) -> None:
    found = {"new": Completion("", "refused"), "other": Completion("x", "eos", 1)}
    ledger.add_answers(found, "run", Bill(Usage(2)), told={"new": "no"})


WORK: dict[str, Callable[[Ledger], object]] = {
    "store completions": lambda ledger: ledger.add_completions(
        {key: Completion("x", "eos", 9, thought_tokens=1) for key in KEYS}, interval=1
    ),
    "store answers": answer,
    "store verdicts": lambda ledger: ledger.add_verdicts(dict.fromkeys(KEYS, VERDICT)),
    "observe": observe,
    "resume": lambda ledger: (ledger.find_completions(KEYS), ledger.find_verdicts(KEYS)),
    "read completions": lambda ledger: ledger.completions([*KEYS, "missing"]),
    "read verdicts": lambda ledger: ledger.verdicts(KEYS),
    "read a run": lambda ledger: ledger.observations("run"),
    "read evidence": lambda ledger: ledger.squares.read_evidence(
        "run", [(f"T/{number}", cell) for number in range(60) for cell in CELLS]
    ),
    "count refusals": lambda ledger: ledger.refusals.count_reasons("run", [("T/1", Cell())]),
    "forget": forget,
}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger with rows in its tables."""
    ledger = Ledger(tmp_path_factory.mktemp("plans") / "ledger.sqlite", "session")
    ledger.describe("run", "suite", ModelIdentity("m", "d"), "ns")
    for work in WORK.values():
        work(ledger)
    yield ledger
    ledger.close()


@pytest.mark.parametrize("name", WORK)
def test_no_query_reads_a_whole_table_or_sorts(full: Ledger, name: str) -> None:
    asked: list[str] = []
    full._database._connection.set_trace_callback(asked.append)
    WORK[name](full)
    full._database._connection.set_trace_callback(None)
    queries = [text for text in asked if re.match(r"\s*(SELECT|INSERT|DELETE|UPDATE)", text)]
    assert queries
    # Another model behind an address is rare, and everything that may be its own is read then.
    allowed = {"SCAN asked"} if name == "forget" else set[str]()
    assert set(find_slow_steps(full.path, queries)) <= allowed


def test_a_query_without_an_index_is_seen(full: Ledger) -> None:
    """A query that scans a table is found by these tests."""
    slow = list(find_slow_steps(full.path, ["SELECT key FROM completions WHERE text = 'x'"]))
    assert slow == ["SCAN completions"]
    (sorts,) = find_slow_steps(full.path, ["SELECT key FROM lints WHERE key > 'a' ORDER BY body"])
    assert sorts == "USE TEMP B-TREE FOR ORDER BY"


def find_slow_steps(path: Path, queries: list[str]) -> Iterator[str]:
    """Finds the steps of queries that read a growing table without a key, or sort its rows."""
    with sqlite3.connect(path) as connection:
        for query in queries:
            for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {query}"):
                if re.match(rf"SCAN ({'|'.join(GROWING)})\b|USE TEMP B-TREE", step):
                    yield step
    connection.close()


def test_a_merge_reads_the_part_and_looks_the_whole_up(full: Ledger, tmp_path: Path) -> None:
    out = tmp_path / "out.sqlite"
    merge_ledgers(out, [full.path])
    database = Database(out)
    database.attach(full.path)
    with database.transaction() as run:
        steps: list[str] = []

        def explain(statement: str) -> list[tuple[object, ...]]:
            steps.extend(step for *_, step in run(f"EXPLAIN QUERY PLAN {statement}"))
            return []

        merging._take(explain, out, full.path)
    database.close()
    assert "SCAN theirs" in steps
    growing = "|".join(GROWING)
    assert [step for step in steps if re.match(rf"SCAN (ours|(main\.)?({growing})$)", step)] == [
        "SCAN ours",  # intervals and generations, of which there are few
        "SCAN ours",
    ]
    assert [step for step in steps if "B-TREE" in step] == []
