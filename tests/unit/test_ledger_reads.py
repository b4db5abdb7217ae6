"""Reads of many rows: few queries, few objects, and what was stored."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.metrics_runs import result_of, suite_run

from pytest_coderobust.engine.completions import CHUNK, CompletionStore
from pytest_coderobust.engine.events import silent
from pytest_coderobust.ledger import Evidence, Ledger
from pytest_coderobust.ledger.rows import ObservationReader, write_observation
from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.models.scripted import Scripted
from pytest_coderobust.records import (
    Cell,
    Completion,
    Observation,
    Sampling,
    Square,
    Status,
    SuiteRun,
    Task,
    Tests,
    Variant,
)
from pytest_coderobust.results.conclusion import Origin, conclude, read_conclusions
from pytest_coderobust.results.evidence import Archive
from pytest_coderobust.results.merging import read_parts
from pytest_coderobust.results.plan_order import order_by_plan

TASKS = [f"T/{number}" for number in range(5)]
CELLS = (Cell(), Cell("C1", 0), Cell("C1", 1), Cell("W2", 0))
SQUARES = [(task, cell) for cell in CELLS for task in TASKS]
TASK = Task("T/0", "def f():\n", "f", Tests("assert f() == 1", "asserts"))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def count_queries(ledger: Ledger, about: str, work: Callable[[], object]) -> int:
    """Counts the queries that read a table."""
    asked: list[str] = []
    ledger._database._connection.set_trace_callback(asked.append)
    work()
    ledger._database._connection.set_trace_callback(None)
    return sum(f"FROM {about}" in query for query in asked)


def observe(task: str, cell: Cell, c: int = 1) -> Observation:
    return Observation(task, cell, Status.SOLVED if c else Status.UNSOLVED, 1, c, 1, c, reason="r")


def test_observations_share_what_is_equal(ledger: Ledger) -> None:
    for task, cell in SQUARES:
        ledger.observe("run", observe(task, cell))
    found = ledger.observations("run")
    assert {(o.task_id, o.cell) for o in found} == set(SQUARES)
    assert len({id(o.cell) for o in found}) == len(CELLS)
    assert len({id(o.task_id) for o in found}) == len(TASKS)
    assert len({id(o.reason) for o in found}) == 1


@given(st.builds(Observation, st.text(), st.builds(Cell, st.text(), st.integers(0, 9)), st.sampled_from(Status), reason=st.text()))  # fmt: skip
def test_the_reader_reads_what_was_written(observation: Observation) -> None:
    reader = ObservationReader()
    for _ in range(2):
        assert reader.read(write_observation(observation)) == observation


def test_a_run_is_read_row_by_row(ledger: Ledger) -> None:
    """The memory that reading takes does not grow with the run."""
    for number in range(2000):
        ledger.observe("run", observe(f"T/{number % 7}", Cell("C1", number)))
    ledger.observe("small", observe("T/0", Cell()))
    assert len(list(ledger.squares.read("small"))) == 1  # the decoders are made once
    tracemalloc.start()
    count = sum(1 for _ in ledger.squares.read("run"))
    _, streamed = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    whole = ledger.observations("run")
    _, held = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == len(whole) == 2000
    assert streamed < held / 2  # the cells of 2,000 seeds are shared, and kept


@settings(max_examples=30)
@given(st.lists(st.sampled_from([*SQUARES, ("T/9", Cell())]), max_size=12))
def test_evidence_read_together_is_that_of_each(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[Square]
) -> None:
    with closing(Ledger(tmp_path_factory.mktemp("evidence") / "ledger.sqlite")) as ledger:
        stored = {
            (task, cell): Evidence(f"{task}{cell}", (task, cell.label), ("v",), {1: cell.label})
            for task, cell in SQUARES
        }
        for (task, cell), evidence in stored.items():
            ledger.squares.add("run", observe(task, cell), evidence)
            ledger.squares.add("other", observe(task, cell), Evidence("", (), ()))
        found = ledger.squares.read_evidence("run", wanted)
        assert found == {square: stored[square] for square in wanted if square in stored}


def test_findings_of_a_cell_take_as_many_queries_as_one(ledger: Ledger) -> None:
    for task, cell in SQUARES:
        ledger.observe("run", observe(task, cell))
    own = [observe(task, CELLS[1]) for task in TASKS]
    archive = Archive(ledger, "run")
    one, all_of_them = (
        count_queries(ledger, "observations", lambda some=some: list(archive.findings(some)))
        for some in (own[:1], own)
    )
    assert one == all_of_them == 2  # the cell's, and the clean one's


def test_a_window_is_looked_up_together(ledger: Ledger) -> None:
    """Resuming asks for each chunk of rows once, and reads no text to know that it is there."""
    model = Scripted(lambda row: row.variant.prompt, name="scripted", batch_size=4)
    answers = CompletionStore(model, ledger, silent)
    wanted = [Variant(TASK, Cell("C1", seed), f"prompt {seed}") for seed in range(40)]
    sampling = Sampling(n=2, temperature=0.8)
    assert sum(map(len, answers.generate(wanted[:39], sampling))) == 39
    stored: list[object] = []
    read = count_queries(
        ledger, "completions", lambda: stored.extend(answers.iterate_stored(wanted, sampling))
    )
    assert read == -(-2 * len(wanted) // CHUNK) == 1
    assert stored == [(each, answers.stored(each, sampling)) for each in wanted]
    assert stored[-1] == (wanted[-1], None)
    assert answers.missing(wanted, sampling) == 2


def test_refused_answers_are_found(ledger: Ledger) -> None:
    ledger.add_completions({"a": Completion("x", "eos", 1)})
    assert ledger.find_completions(["a", "b"]) == {"a"}
    ledger._database.write("INSERT INTO refusals VALUES (?, ?)", [("b", "session")])
    assert ledger.find_completions(["a", "b", "c"]) == set(ledger.completions(["a", "b", "c"]))


@given(st.permutations(SQUARES), st.sets(st.sampled_from(SQUARES)))
def test_the_order_of_a_plan_is_that_of_its_squares(
    shuffled: list[Square], there: set[Square]
) -> None:
    stored = [observe(*square) for square in shuffled if square in there]
    foreign = [observe("T/9", Cell()), observe("T/0", Cell("C9"))]
    found = order_by_plan([*foreign, *stored], TASKS, CELLS)
    assert found == [observe(*square) if square in there else None for square in SQUARES]


def test_each_square_counts_once_whatever_the_plan_has() -> None:
    run = suite_run({"T/0": {"clean": 1, "C1-s0": 0}, "T/1": {"clean": 1, "C1-s0": 1}})
    twice = (*run.observations, run.observations[0], observe("T/9", Cell("C9")))
    assert summarise(run).observed == 4
    assert summarise(replace(run, observations=twice)).observed == 5


def store_shards(ledger: Ledger, run: SuiteRun, count: int) -> None:
    for index in range(1, count + 1):
        own = tuple(o for o in run.observations if int(o.task_id[2:]) % count == index - 1)
        for observation in own:
            ledger.observe("run", observation)
        part = replace(run, observations=own, shard=f"{index}/{count}", incomplete="a part")
        conclude(ledger, "run", result_of(part), Origin("toy.toml"))


def test_the_shards_of_a_run_are_read_once(ledger: Ledger) -> None:
    run = suite_run({f"T/{number}": {"clean": 1, "C1-s0": number % 2} for number in range(6)})
    store_shards(ledger, run, 3)
    queries = count_queries(ledger, "observations", lambda: read_parts(ledger))
    assert queries == 1
    parts = read_parts(ledger)["toy"]
    assert [part.run.shard for part in parts] == ["1/3", "2/3", "3/3"]
    assert {o for part in parts for o in part.run.observations} == set(run.observations)
    assert {len(found.read_run().observations) for found in read_conclusions(ledger)} == {4}
