from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_coderobust.errors import LedgerError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.ledger.database import CHUNK
from pytest_coderobust.records import (
    Cell,
    Completion,
    Level,
    ModelIdentity,
    Observation,
    Status,
    Verdict,
)

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.fixture
def ledger(tmp_path: Path):
    opened = Ledger(tmp_path / "folder" / "ledger.sqlite")
    yield opened
    opened.close()


def test_completion_comes_back_as_it_was(ledger: Ledger) -> None:
    stored = {"a": Completion("    return 1\n", "stop", 7)}
    ledger.add_completions(stored)
    assert ledger.completions(["a", "missing"]) == stored


@settings(max_examples=50)
@given(text=ANY_TEXT)
def test_every_text_survives(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite")
    ledger.add_completions({"a": Completion(text, "eos", 1)})
    ledger.add_verdicts({"a": Verdict(Level.LOAD, 0, 3, "exception", text, "ns", 0.5)})
    assert ledger.completions(["a"])["a"].text == text
    assert ledger.verdicts(["a"])["a"].detail == text
    ledger.close()


def test_hostile_text_survives(ledger: Ledger) -> None:
    text = "\ud800 \x00 \x1b[31m [bold]red[/bold] \u202e"
    ledger.add_completions({"a": Completion(text, "eos", 1)})
    assert ledger.completions(["a"])["a"].text == text


def test_first_write_wins(ledger: Ledger) -> None:
    ledger.add_completions({"a": Completion("first", "eos", 1)})
    ledger.add_completions({"a": Completion("second", "eos", 1)})
    assert ledger.completions(["a"])["a"].text == "first"


def test_more_keys_than_a_query_takes(ledger: Ledger) -> None:
    stored = {str(i): Completion(str(i), "eos", i) for i in range(2 * CHUNK + 3)}
    ledger.add_completions(stored)
    assert ledger.completions(stored) == stored


def test_batch_is_stored_whole_or_not_at_all(ledger: Ledger) -> None:
    # The first row is written before the second is refused: SQLite has no such number.
    broken = {"a": Completion("fine", "eos", 1), "b": Completion("bad", "eos", 1 << 80)}
    with pytest.raises(OverflowError):
        ledger.add_completions(broken)
    assert ledger.completions(["a", "b"]) == {}
    ledger.add_completions({"c": Completion("later", "eos", 1)})
    assert set(ledger.completions(["a", "b", "c"])) == {"c"}


def test_observation_comes_back_once(ledger: Ledger) -> None:
    seen = Observation("HumanEval/0", Cell("C1", 2), Status.BROKEN, 10, 0, 10, 9, 1, member="C1")
    ledger.observe("run", seen, prompt="\ud800", completions=["k"], verdicts=["v"])
    ledger.observe("run", seen, prompt="\ud800", completions=["k"], verdicts=["v"])
    ledger.observe("other", seen)
    assert ledger.observations("run") == (seen,)


def test_run_is_described_once(ledger: Ledger) -> None:
    model = ModelIdentity("tiny", "abc", {"dtype": "float32"})
    ledger.describe("run", "quickstart", model, "ns")
    ledger.describe("run", "quickstart", ModelIdentity("other", "xyz"), "rlimits")
    assert ledger.description("run") == (model, "ns")
    assert ledger.description("unknown") is None


def test_the_latest_fact_of_a_run_stays_and_nothing_else_moves(ledger: Ledger) -> None:
    model = ModelIdentity("tiny", "abc", {"dtype": "float32"})
    ledger.describe("run", "quickstart", model, "ns")
    ledger.describe("other", "quickstart", model, "ns")
    for value in ("2", "2", "1"):
        ledger.add_fact("run", "threads", value)
    ledger.add_fact("unknown", "threads", "1")
    ledger.describe("run", "quickstart", model, "ns")
    facts = {"dtype": "float32", "threads": "1"}
    assert ledger.description("run") == (ModelIdentity("tiny", "abc", facts), "ns")
    assert ledger.description("other") == (model, "ns")
    assert ledger.description("unknown") is None


def test_another_process_reads_what_was_committed(ledger: Ledger) -> None:
    ledger.add_completions({"a": Completion("text", "eos", 1)})
    program = (
        "import sys; from pathlib import Path; from pytest_coderobust.ledger import Ledger;"
        "print(Ledger(Path(sys.argv[1])).completions(['a'])['a'].text)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, ledger.path], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "text"


def test_death_of_the_holder_frees_the_lease(ledger: Ledger) -> None:
    program = (
        "import os, sys; from pathlib import Path; from pytest_coderobust.ledger import Ledger\n"
        "with Ledger(Path(sys.argv[1])).lease():\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, ledger.path],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    with ledger.lease():
        pass


def test_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to have a header " * 20)
    with pytest.raises(LedgerError, match=r"notes\.txt cannot be used as a ledger"):
        Ledger(path)


def test_ledger_of_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    Ledger(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(LedgerError, match="schema 99"):
        Ledger(path)


OPEN_IN_STEP = """
import sys
from pathlib import Path
from pytest_coderobust.ledger import Ledger
print("ready", flush=True)
for name in sys.stdin:
    Ledger(Path(sys.argv[1], name.strip())).close()
    print("opened", flush=True)
"""


def test_processes_that_open_a_new_ledger_together_all_succeed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN_IN_STEP, str(tmp_path)]
    with ExitStack() as stack:
        opened = [
            stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(4)
        ]
        said = {read_line(process) for process in opened}
        for number in range(60):
            for process in opened:
                assert process.stdin is not None
                process.stdin.write(f"{number}.sqlite\n")
                process.stdin.flush()
            said |= {read_line(process) for process in opened}
        assert said == {"ready\n", "opened\n"}


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_damage_met_in_the_middle_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    stored = {f"{index:05}": Completion("x" * 500, "eos", 1) for index in range(200)}
    ledger = Ledger(path)
    ledger.add_completions(stored)
    ledger.close()  # what the log held is in the file now
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    damaged = Ledger(path)
    sentence = r"ledger\.sqlite cannot be used as a ledger: database disk image is malformed"
    with pytest.raises(LedgerError, match=sentence):
        damaged.completions(stored)
    with pytest.raises(LedgerError, match=sentence):
        damaged.add_completions(stored)
    damaged.close()


THOUGHT = Completion("so</think>x", "eos", 4, thought_tokens=3, opened="<think>\ud800")


def test_thoughts_come_back_with_their_completion(ledger: Ledger) -> None:
    stored = {"a": THOUGHT, "b": Completion("x", "eos", 1)}
    ledger.add_completions(stored)
    assert ledger.completions(["a", "b"]) == stored


def test_a_completion_that_was_there_before_gets_no_thought(ledger: Ledger) -> None:
    first = Completion("x", "eos", 1)
    ledger.add_completions({"a": first})
    ledger.add_completions({"a": THOUGHT})
    assert ledger.completions(["a"]) == {"a": first}


def test_a_ledger_from_before_thoughts_were_kept_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    first = Completion("x", "eos", 1)
    with ExitStack() as stack:
        stack.callback((old := Ledger(path)).close)
        old.add_completions({"a": first})
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE thoughts")
    connection.close()
    again = Ledger(path)
    assert again.completions(["a"]) == {"a": first}
    again.add_completions({"b": THOUGHT})
    assert again.completions(["b"]) == {"b": THOUGHT}
    again.close()
