"""Events that begin something have an end, also when Ctrl-C or an error interrupts it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from support.hunt_model import Reader, open_measurement, write_suite

from pytest_coderobust.engine.budget import Budget
from pytest_coderobust.engine.events import (
    Event,
    HuntDone,
    HuntStarted,
    SelfCheckDone,
    SelfCheckStarted,
    WindowDone,
    WindowStarted,
)
from pytest_coderobust.engine.verdicts import VerdictStore
from pytest_coderobust.errors import ModelError
from pytest_coderobust.hunting.hunt import Hunt
from pytest_coderobust.hunting.panel import Confirm
from pytest_coderobust.models.backend import Row
from pytest_coderobust.records import Cell, Completion, Sampling


class Interrupted(Reader):
    """Raises as soon as it is asked."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(lambda _: 0.0, "interrupted")
        self.error = error

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> list[Completion]:  # noqa: ARG002
        raise self.error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ModelError("out of memory")])
def test_a_window_ends(tmp_path: Path, error: BaseException) -> None:
    events: list[Event] = []
    with open_measurement(write_suite(tmp_path), Interrupted(error), events.append) as (made, _):
        made.want([("Toy/0", Cell())])
        with pytest.raises(type(error)):
            made.measure(made.plan.tasks["Toy/0"], Cell())
    assert sum(isinstance(event, WindowStarted) for event in events) == 1
    assert events[-1] == WindowDone()


def test_a_hunt_ends(tmp_path: Path) -> None:
    events: list[Event] = []
    model = Interrupted(KeyboardInterrupt())
    with open_measurement(write_suite(tmp_path), model, events.append) as (made, ledger):
        hunt = Hunt(
            made, ledger, "toy.toml", ("C1",), Budget(), Confirm(),
            reproduce=str, listen=events.append,
        )  # fmt: skip
        with pytest.raises(KeyboardInterrupt):
            list(hunt.run(list(made.plan.tasks.values())))
    assert HuntStarted("toy", 1) in events
    assert events[-1] == HuntDone()


def test_a_self_check_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    events: list[Event] = []
    monkeypatch.setattr(VerdictStore, "verdicts", interrupted)
    with (
        open_measurement(write_suite(tmp_path), Reader(lambda _: 0.0), events.append) as (made, _),
        pytest.raises(KeyboardInterrupt),
    ):
        made.selfcheck()
    assert isinstance(events[0], SelfCheckStarted)
    assert events[-1] == SelfCheckDone()
