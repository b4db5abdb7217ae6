"""Intervals in the ledger: kept or forgotten as one, also where a process was killed meanwhile."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.ledger import Ledger
from pytest_coderobust.records import Cell, Completion, Observation, Status

KILLED = -signal.SIGKILL

STORE = """
import os, signal, sys
from pathlib import Path
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.records import Cell, Completion, Observation, Status
ledger = Ledger(Path(sys.argv[1]))
number = ledger.intervals.begin("model", 1.0)
for key in ("a", "b", "c"):
    ledger.add_completions({key: Completion(key, "eos", 1, "a thought")}, interval=number)
    ledger.observe("run", Observation(key, Cell(), Status.ROBUST), completions=[key])
ledger.conclude("run", "{}")
"""

FORGET = """
import json
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
json.loads = die  # the completions are deleted by then, and the observations are not
ledger.intervals.forget("model", 2.0)
"""


def run(program: str, path: Path) -> int:
    return subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode


def count(path: Path, table: str) -> int:
    with sqlite3.connect(path) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_a_killed_process_leaves_its_interval_open_with_its_answers(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    assert run(STORE + "os.kill(os.getpid(), signal.SIGKILL)", path) == KILLED
    ledger = Ledger(path)
    assert len(ledger.intervals.open("model")) == 1
    assert ledger.intervals.open("another") == ()
    assert len(ledger.completions("abc")) == 3
    ledger.intervals.keep("model", 2.0)
    assert ledger.intervals.open("model") == ()
    assert ledger.intervals.forget("model", 3.0) == 0  # what was kept stays
    assert len(ledger.completions("abc")) == 3
    assert len(ledger.observations("run")) == 3
    ledger.close()


def test_forgetting_is_whole_or_nothing_when_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    assert run(STORE + FORGET, path) == KILLED
    ledger = Ledger(path)
    assert len(ledger.completions("abc")) == 3
    assert len(ledger.observations("run")) == 3
    assert len(ledger.intervals.open("model")) == 1
    assert ledger.intervals.forget("model", 2.0) == 3
    assert ledger.completions("abc") == {}
    assert ledger.observations("run") == ()
    assert ledger.conclusions() == ()
    assert ledger.intervals.open("model") == ()
    for table in ("completions", "thoughts", "asked", "observations", "left_out"):
        assert count(path, table) == 0, table
    ledger.close()


def test_a_ledger_from_before_is_opened_and_grows_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger(path)
    ledger.add_completions({"old": Completion("text", "eos", 1)})
    ledger.close()
    with sqlite3.connect(path) as connection:
        for table in ("intervals", "asked", "contacts", "generations"):
            connection.execute(f"DROP TABLE {table}")
    ledger = Ledger(path)
    assert set(ledger.completions(["old"])) == {"old"}
    number = ledger.intervals.begin("model", 1.0)
    ledger.add_completions({"old": Completion("other", "eos", 1)}, interval=number)
    assert ledger.intervals.forget("model", 2.0) == 0
    assert ledger.completions(["old"])["old"].text == "text"
    ledger.close()


ANSWERS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["keep", "forget"])))


@given(steps=ANSWERS)
def test_what_is_left_is_what_good_intervals_stored_first(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    """A key that a forgotten interval stored may be stored anew, and one that is kept never is."""
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite")
    kept: dict[str, str] = {}
    for place, (key, how) in enumerate(steps):
        number = ledger.intervals.begin("model", float(place))
        text = f"{key} at {place}"
        ledger.add_completions({key: Completion(text, "eos", 1)}, interval=number)
        fresh = key not in kept
        if how == "keep":
            kept.setdefault(key, text)
            ledger.intervals.keep("model", float(place))
        else:
            assert ledger.intervals.forget("model", float(place)) == int(fresh)
        found = ledger.completions("abcdefgh")
        assert {name: each.text for name, each in found.items()} == kept
    ledger.close()


def test_intervals_of_other_models_stay_open(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for model in ("one", "other"):
        number = ledger.intervals.begin(model, 1.0)
        ledger.add_completions({model: Completion(model, "eos", 1)}, interval=number)
    ledger.intervals.forget("one", 2.0)
    assert set(ledger.completions(["one", "other"])) == {"other"}
    assert len(ledger.intervals.open("other")) == 1
    ledger.close()


def test_generations_are_made_once_a_session(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    assert ledger.contacts.generation("subject") == ""
    first = ledger.contacts.begin_generation("subject", now=10.0, since=5.0)
    assert len(bytes.fromhex(first)) == 16
    assert ledger.contacts.begin_generation("subject", now=11.0, since=5.0) == first
    second = ledger.contacts.begin_generation("subject", now=20.0, since=15.0)
    assert second != first
    assert ledger.contacts.generation("subject") == second
    assert ledger.contacts.generation("other") == ""
    ledger.close()


def test_an_observation_of_a_cell_goes_alone(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    number = ledger.intervals.begin("model", 1.0)
    ledger.add_completions({"seen": Completion("x", "eos", 1)}, interval=number)
    for cell, key in ((Cell(), "stored long ago"), (Cell("C1"), "seen"), (Cell("C1", 1), "other")):
        observation = Observation("T", cell, Status.ROBUST)
        ledger.observe("run", observation, completions=[key], left_out={0: "import os"})
    ledger.intervals.forget("model", 2.0)
    assert {each.cell for each in ledger.observations("run")} == {Cell(), Cell("C1", 1)}
    assert ledger.evidence("run", "T", Cell("C1")) is None
    assert count(ledger.path, "left_out") == 2
    ledger.close()
