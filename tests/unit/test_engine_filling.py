"""Windows of a served model: one stream looks ahead, each window is filled when its rows are stored."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.hunt_model import PROSE, write_suite
from support.streamed import ScriptedStream, solve

from pytest_coderobust.engine.events import Event, WindowDone, WindowStarted
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.errors import ModelError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.records import Cell, Completion, Row, Status
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.session import open_session

NAMES = ("total", "summed", "added", "counted")
CELLS = 'perturbations = ["C1", "C2"]'


@contextmanager
def measuring(
    folder: Path, model: ScriptedStream, sections: str = CELLS, prose: str = PROSE
) -> Generator[tuple[Measurement, Ledger, list[Event]]]:
    suite = write_suite(folder, NAMES, sections)
    tasks = folder / "tasks.jsonl"
    tasks.write_text(tasks.read_text().replace(PROSE, prose))
    heard: list[Event] = []
    choices = Choices(ledger=folder / "ledger.sqlite", sandbox_workers=1)
    with open_session(choices, folder, backend=model) as session:
        session.listeners.append(heard.append)
        opened = session.suite(session.refer(suite))
        plan = opened.plan
        opened.wanted += [(task, cell) for cell in plan.cells for task in plan.tasks]
        yield opened.single, session.ledger, heard


def measure_all(measurement: Measurement) -> list[Status]:
    plan = measurement.plan
    return [
        measurement.measure(task, cell).observation.status
        for cell in plan.cells
        for task in plan.tasks.values()
    ]


def fail_under(label: str) -> Callable[[Row], str]:
    return lambda row: "    return None\n" if row.variant.cell.label == label else solve(row)


def test_windows_share_one_stream_in_their_order(tmp_path: Path) -> None:
    model = ScriptedStream(fail_under("C2-s0"), width=3)
    with measuring(tmp_path, model) as (measurement, _, heard):
        found = measure_all(measurement)
    assert found == [Status.SOLVED] * 4 + [Status.ROBUST] * 4 + [Status.BROKEN] * 4
    assert len(model.streams) == 1
    assert model.most == 3
    clean = {task.prompt for task in measurement.plan.tasks.values()}
    assert {prompt for prompt, _ in model.sent[:4]} == clean
    assert len(model.sent) == len(set(model.sent)) == 12
    windows = [e for e in heard if isinstance(e, (WindowStarted, WindowDone))]
    assert [type(e).__name__ for e in windows] == ["WindowStarted", "WindowDone"] * (
        len(windows) // 2
    )
    assert windows[0] == WindowStarted("toy", 1, 3, 4)


def test_window_is_filled_when_its_own_rows_are_stored(tmp_path: Path) -> None:
    """The server dies in the second window; what the first one found is told before."""
    model = ScriptedStream(width=1, dies_after=6)
    with measuring(tmp_path, model) as (measurement, ledger, _):
        tasks = list(measurement.plan.tasks.values())
        assert [measurement.measure(task, Cell()).observation.status for task in tasks] == [
            Status.SOLVED
        ] * 4
        for _again in range(2):
            with pytest.raises(ModelError, match="the server is gone"):
                measurement.measure(tasks[0], Cell("C1", 0))
        assert len(model.streams) == 1
        assert len(ledger.observations(measurement.run)) == 4
    again = ScriptedStream()
    with measuring(tmp_path, again) as (measurement, _, _):
        measure_all(measurement)
    assert len(again.sent) == 12 - 6


def test_prompt_of_two_windows_is_asked_once(tmp_path: Path) -> None:
    """So short a text has few variants: some seeds draw the same one."""
    model = ScriptedStream(width=500)
    sections = 'perturbations = ["C1"]\nseeds = 12'
    with measuring(tmp_path, model, sections, "Add up all of it.") as (measurement, ledger, _):
        measure_all(measurement)
        prompts = [
            found.prompt
            for o in ledger.observations(measurement.run)
            if (found := ledger.evidence(measurement.run, o.task_id, o.cell)) is not None
        ]
    assert len(set(prompts)) < len(prompts)
    assert len(model.streams) == 1
    assert sorted(prompt for prompt, _ in model.sent) == sorted(set(prompts))


def test_what_a_killed_run_left_unjudged_is_judged(tmp_path: Path) -> None:
    model = ScriptedStream()
    with measuring(tmp_path, model) as (measurement, ledger, _):
        assert len(set(measure_all(measurement))) == 2
        path = ledger.path
    import sqlite3

    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM verdicts")
    database.close()
    again = ScriptedStream()
    with measuring(tmp_path, again) as (measurement, _, _):
        assert len(set(measure_all(measurement))) == 2
    assert again.sent == []


def test_refused_rows_are_unsolved_and_counted(tmp_path: Path) -> None:
    def answer(row: Row) -> Completion | str:
        refused = row.variant.task.id == "Toy/1" and not row.variant.cell.is_clean
        return Completion("", "refused") if refused else solve(row)

    with measuring(tmp_path, ScriptedStream(answer)) as (measurement, ledger, _):
        measure_all(measurement)
        found = {(o.task_id, o.cell.label): o for o in ledger.observations(measurement.run)}
        seen = found["Toy/1", "C1-s0"]
        assert (seen.status, seen.n, seen.c, seen.refused) == (Status.BROKEN, 1, 0, 1)
        assert found["Toy/0", "C1-s0"].refused == 0
        evidence = ledger.evidence(measurement.run, "Toy/1", Cell("C1", 0))
        assert evidence is not None
        (verdict,) = ledger.verdicts(evidence.verdicts).values()
        assert verdict.failure == "refused"
    asked = ScriptedStream()
    with measuring(tmp_path, asked) as (measurement, _, _):
        assert (
            measurement.measure(measurement.plan.tasks["Toy/1"], Cell("C1", 0)).observation.c == 1
        )
    assert len(asked.sent) == 2


def test_prompt_that_would_solve_itself_is_not_solved_where_the_server_refuses(
    tmp_path: Path,
) -> None:
    """Nothing is judged: an empty completion behind this prompt passes its test."""
    with measuring(tmp_path, ScriptedStream(lambda _row: Completion("", "refused"))) as (
        made,
        _,
        _,
    ):
        assert set(measure_all(made)) == {Status.UNSOLVED}


@pytest.mark.parametrize("sections", ["", "[sampling]\ntemperature = 0.8\nn = 2\n"])
def test_noise_floor_of_a_served_model_changes_seeds_alone(tmp_path: Path, sections: str) -> None:
    from pytest_coderobust.engine.noise_floor import measure_floor

    suite = write_suite(tmp_path, NAMES, sections)
    model = ScriptedStream()
    choices = Choices(ledger=tmp_path / "ledger.sqlite", sandbox_workers=1)
    with open_session(choices, tmp_path, backend=model) as session:
        plan = session.suite(session.refer(suite)).plan
        floor = measure_floor(
            plan, model, session.verdicts, session.ledger, session.listen, book_on="the suite's"
        )
        bill = session.ledger.bills.of_run("the suite's")
        assert bill == session.ledger.bills.of_session()
    assert bill is not None
    assert bill.usage.requests == len(model.sent) > 0
    assert [size for size, _ in floor.batches] == [1]
    assert len(floor.seeds) == (3 if sections else 1)
    assert {sampling.seed for sampling in model.streams} == ({0, 1, 2} if sections else {0})
