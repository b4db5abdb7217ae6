"""Merged ledgers: in any order and any number of times the same, also over rows that were refused."""

from __future__ import annotations

import itertools
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_coderobust.errors import LedgerError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.ledger.merging import merge_ledgers
from pytest_coderobust.records import (
    Bill,
    Cell,
    Completion,
    Observation,
    RefusalReason,
    Status,
    Usage,
)

CELL = Cell("C1", 0)
SAMPLES = 3
TABLES = ("completions", "observations", "left_out", "refusals", "usage")


@dataclass(frozen=True)
class Measured:
    """A task of a shard: which of its samples the server refused."""

    task: int
    refused: frozenset[int] = frozenset()
    wrong: int = 0
    """Answers of the others that fail."""


def write_part(path: Path, session: str, measured: list[Measured], text: str = "answer") -> Path:
    """The ledger of a shard whose server refused some samples."""
    ledger = Ledger(path, session)
    for each in measured:
        keys = [f"key-{each.task}-{sample}" for sample in range(SAMPLES)]
        found = {
            key: Completion("", "refused") if k in each.refused else Completion(text, "eos", 3)
            for k, key in enumerate(keys)
        }
        told = {keys[sample]: f"400: sample {sample}" for sample in each.refused}
        ledger.add_answers(found, "run", Bill(Usage(SAMPLES), 1.0), told=told)
        c = SAMPLES - len(each.refused) - each.wrong
        status = Status.ROBUST if c == SAMPLES else Status.BROKEN
        left = {min(each.refused): "print(1)"} if each.refused else {}
        seen = Observation(
            f"T/{each.task}", CELL, status, n=SAMPLES, c=c, refused=len(each.refused)
        )
        ledger.observe("run", seen, completions=keys, left_out=left)
    ledger.close()
    return path


def read_all(path: Path, *names: str) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(path)
    found = {
        name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
        for name in names or TABLES
    }
    connection.close()
    return found


def merge(out: Path, *parts: Path) -> dict[str, list[tuple[object, ...]]]:
    merge_ledgers(out, parts)
    return read_all(out)


@settings(max_examples=8)
@given(st.data())
def test_order_and_number_of_merges_change_nothing(data: st.DataObject) -> None:
    """Shards that ran twice, since a server refused rows at first, in any order, some twice."""
    samples = st.frozensets(st.integers(0, SAMPLES - 1))
    refused = data.draw(st.lists(samples, min_size=1, max_size=5))
    count = data.draw(st.integers(1, 3))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: list[Path] = []
        newest: list[Path] = []
        for shard in range(count):
            mine = [Measured(t, r) for t, r in enumerate(refused) if t % count == shard]
            once = write_part(folder / f"{shard}-first", f"first {shard}", mine)
            again = folder / f"{shard}-again"
            again.write_bytes(once.read_bytes())
            left = [
                Measured(m.task, frozenset(data.draw(st.sets(st.sampled_from(sorted(m.refused))))))
                for m in mine
                if m.refused
            ]
            # A sample that still is refused keeps its neighbours' answers.
            write_part(again, f"again {shard}", [m for m in left if len(m.refused) < SAMPLES])
            parts += [once, again]
            newest.append(again)
        expected = merge(folder / "expected", *newest)
        order = data.draw(st.permutations(parts))
        more = data.draw(st.lists(st.sampled_from(parts), max_size=3))
        found = merge(folder / "found", *order, *more)
        for table in ("completions", "observations"):
            assert found[table] == expected[table]
        assert merge(folder / "found", *parts) == found


def test_an_answer_takes_the_place_of_a_refusal_and_is_never_replaced_by_one(
    tmp_path: Path,
) -> None:
    old = write_part(tmp_path / "old", "one", [Measured(0, frozenset({1, 2})), Measured(1)])
    new = tmp_path / "new"
    new.write_bytes(old.read_bytes())
    write_part(new, "two", [Measured(0)])
    assert len(read_all(old, "left_out")["left_out"]) == 1
    connection = sqlite3.connect(new)
    connection.execute("DELETE FROM left_out")  # the answers left nothing out
    connection.commit()
    connection.close()
    for order in itertools.permutations((old, new)):
        out = tmp_path / f"out-{order[0].name}"
        merge_ledgers(out, [order[0]])
        found = merge(out, order[1])
        ledger = Ledger(out)
        seen = {o.task_id: (o.c, o.refused) for o in ledger.observations("run")}
        assert seen == {"T/0": (3, 0), "T/1": (3, 0)}
        assert len(found["completions"]) == 2 * SAMPLES
        answers = ledger.completions(f"key-0-{sample}" for sample in range(SAMPLES))
        assert [each.text for each in answers.values()] == ["answer"] * SAMPLES
        assert found["left_out"] == []
        assert ledger.refusals.count_reasons("run", [("T/0", CELL)]) == ()
        bill = ledger.bills.of_run("run")
        assert bill is not None
        assert bill.sessions == 2
        ledger.close()


def test_of_two_refusals_the_one_that_knows_more_stays(tmp_path: Path) -> None:
    old = write_part(tmp_path / "old", "one", [Measured(0, frozenset({0, 1, 2}))])
    new = tmp_path / "new"
    new.write_bytes(old.read_bytes())
    write_part(new, "two", [Measured(0, frozenset({2}))])
    for order in itertools.permutations((old, new)):
        out = tmp_path / f"out-{order[0].name}"
        merge_ledgers(out, order)
        ledger = Ledger(out)
        (seen,) = ledger.observations("run")
        assert (seen.c, seen.refused) == (2, 1)
        reasons = ledger.refusals.count_reasons("run", [("T/0", CELL)])
        assert reasons == (RefusalReason("400: sample 2", 1),)
        ledger.close()


def test_of_two_that_were_refused_as_much_one_counts_with_all_that_is_its_own(
    tmp_path: Path,
) -> None:
    """Each shard was refused another sample, and their answers differ: no mixture of the two."""
    parts = [
        write_part(tmp_path / "a", "one", [Measured(0, frozenset({0}))]),
        write_part(tmp_path / "b", "two", [Measured(0, frozenset({1}), wrong=1)]),
    ]
    alone = [read_all(part, "observations", "left_out") for part in parts]
    found = [
        merge(tmp_path / f"out-{order[0].name}", *order) for order in itertools.permutations(parts)
    ]
    assert found[0] == found[1]
    assert {name: found[0][name] for name in alone[0]} in alone


def test_two_answers_under_one_key_are_a_conflict(tmp_path: Path) -> None:
    parts = [write_part(tmp_path / text, text, [Measured(0)], text=text) for text in ("one", "two")]
    with pytest.raises(LedgerError, match=r"two has another row of completions under key-0-0"):
        merge_ledgers(tmp_path / "out", parts)
    assert len(read_all(tmp_path / "out")["completions"]) == SAMPLES, "of a part all, or nothing"
