"""Waves of a served model: their size, the note that all processes read, and the replay of gates."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hunt_model import write_suite
from support.metrics_runs import suite_run
from support.streamed import ScriptedStream

from pytest_coderobust.engine.budget import Budget
from pytest_coderobust.engine.early import WAVE, cut_waves, find_wave_size, order_tasks
from pytest_coderobust.engine.served_waves import ServedWaves
from pytest_coderobust.gates import parse_gate
from pytest_coderobust.gates.watch import replay_watch
from pytest_coderobust.hunting.hunt import Hunt
from pytest_coderobust.hunting.panel import Confirm
from pytest_coderobust.records import Row
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.session import Session, open_session

NAMES = [f"f{place:02}" for place in range(40)]


@contextmanager
def session_on(folder: Path, model: ScriptedStream, sections: str = "") -> Generator[Session]:
    write_suite(folder, NAMES, sections)
    choices = Choices(ledger=folder / "ledger.sqlite", sandbox_workers=1)
    with open_session(choices, folder, backend=model) as session:
        yield session


@given(st.integers(0, 300), st.lists(st.integers(0, 60)))
def test_waves_cut_by_sizes_are_all_tasks_in_order(count: int, sizes: list[int]) -> None:
    tasks = [str(place) for place in range(count)]
    waves = list(cut_waves(tasks, sizes))
    assert [task for wave in waves for task in wave] == tasks
    assert [len(wave) for wave in waves[: len(sizes)]] == [
        max(0, min(size, count - sum(sizes[:place]))) for place, size in enumerate(sizes)
    ]


@pytest.mark.parametrize(("concurrency", "size"), [(0, 64), (3, WAVE), (9, 36), (100, 40)])
def test_wave_has_four_rows_for_each_connection(
    tmp_path: Path, concurrency: int, size: int
) -> None:
    with session_on(tmp_path, ScriptedStream()) as session:
        measurement = session.suite(session.refer(tmp_path / "toy.toml")).single
        waves = ServedWaves(measurement, session.ledger, concurrency)
        assert waves.cut(NAMES, measurement.plan.cells) == min(size, len(NAMES))
        assert find_wave_size(len(NAMES)) == WAVE


def test_another_process_takes_the_waves_that_were_noted(tmp_path: Path) -> None:
    with session_on(tmp_path, ScriptedStream()) as session:
        measurement = session.suite(session.refer(tmp_path / "toy.toml")).single
        run, cells = measurement.run, measurement.plan.cells
        session.ledger.waves.note(run, 0, 7)
        session.ledger.waves.note(run, 0, 9)
        other = ServedWaves(measurement, session.ledger, 1)
        assert [other.cut(NAMES, cells), other.cut(NAMES[7:], cells)] == [7, WAVE]
        assert session.ledger.waves.read(run) == (7, WAVE)


def test_gates_are_replayed_with_the_waves_that_were_asked() -> None:
    """With waves of one task the gate is settled after exactly as many as it needs."""
    names = [f"T/{place}" for place in range(3 * WAVE)]
    run = suite_run({name: {"clean": 1} for name in names})
    gate = parse_gate({"gate": "pass@1 >= 0.3", "confidence": 0.95}, "here")
    (whole,) = replay_watch([gate], run)
    (single,) = replay_watch([gate], replace(run, waves=(1,) * len(names)))
    assert whole is not None
    assert single is not None
    assert whole.tasks == WAVE
    assert single.tasks < WAVE
    assert order_tasks(names, 0) == order_tasks(names, 0)


def test_hunt_on_a_served_model_asks_each_row_once(tmp_path: Path) -> None:
    def answer(row: Row) -> str:
        broken = "negative" not in row.variant.prompt
        return "    return None\n" if broken else str(row.variant.task.canonical)

    model = ScriptedStream(answer, width=8)
    with session_on(tmp_path, model) as session:
        measurement = session.suite(session.refer(tmp_path / "toy.toml")).single
        tasks = list(measurement.plan.tasks.values())[:1]
        hunt = Hunt(measurement, session.ledger, "toy.toml", ("mix_all",), Budget(), Confirm())
        (found,) = hunt.run(tasks, ())
    assert found.failure is not None
    assert found.failure.minimal
    assert "negative" not in found.failure.broken.prompt
    assert len(model.sent) == len(set(model.sent))
    assert model.most > 1
