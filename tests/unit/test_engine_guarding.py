"""Guard of a served model: intervals that are kept, and intervals that are forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from pytest_coderobust.engine.guarding import ANSWERS, SECONDS, Guard
from pytest_coderobust.errors import ModelError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import IdentityDemand, Look, OwnPrompt
from pytest_coderobust.models.oracle import Oracle
from pytest_coderobust.records import (
    Cell,
    Completion,
    ModelIdentity,
    Observation,
    Status,
)


class Watched(Oracle):
    """An oracle that is guarded: `same` says what the next look finds."""

    same = True
    looks = 0

    @property
    def identity(self) -> ModelIdentity:
        return ModelIdentity("watched", "model-digest")

    def remember(self, memory: Callable[[], Ledger], demand: IdentityDemand) -> None:
        pass

    def look(self, own: Sequence[OwnPrompt] = ()) -> Look:  # noqa: ARG002
        self.looks += 1
        return Look(self.same, "" if self.same else "another model answers")


class Clock:
    """A clock that stands until it is set."""

    time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def answers(*keys: str) -> dict[str, Completion]:
    return {key: Completion(f"text {key}", "eos", 1) for key in keys}


def test_looks_bracket_a_window(ledger: Ledger) -> None:
    backend = Watched()
    guard = Guard(backend, ledger, Clock())
    guard.begin()
    assert backend.looks == 1
    guard.store(answers("a", "b"))
    assert len(ledger.intervals.open("model-digest")) == 1
    guard.end_window()
    assert backend.looks == 2
    assert ledger.intervals.open("model-digest") == ()
    guard.begin()  # just looked
    guard.end_window()  # nothing was stored
    guard.finish()
    assert backend.looks == 2


def test_a_swap_forgets_what_came_since_the_last_good_look(ledger: Ledger) -> None:
    backend = Watched()
    guard = Guard(backend, ledger, Clock())
    guard.begin()
    guard.store(answers("early"))
    guard.look()
    guard.store(answers("late"))
    guard.store(answers("early", "later"))  # the first was stored in the good interval
    backend.same = False
    with pytest.raises(
        ModelError, match=r"another model answers\nforgotten answers since the last good look: 2"
    ):
        guard.end_window()
    assert set(ledger.completions(["early", "late", "later"])) == {"early"}
    with pytest.raises(ModelError, match="another model answers"):
        guard.begin()
    assert backend.looks == 3  # known to be lost: nobody is asked again


def test_what_a_killed_session_left_is_settled(ledger: Ledger) -> None:
    killed = Guard(Watched(), ledger, Clock())
    killed.begin()
    killed.store(answers("a"))
    good = Watched()
    Guard(good, ledger, Clock()).settle()
    assert good.looks == 1
    assert "a" in ledger.completions(["a"])
    assert ledger.intervals.open("model-digest") == ()
    Guard(good, ledger, Clock()).settle()
    assert good.looks == 1  # nothing is open


def test_what_a_killed_session_left_is_forgotten_where_the_model_is_another(
    ledger: Ledger,
) -> None:
    killed = Guard(Watched(), ledger, Clock())
    killed.begin()
    killed.store(answers("a"))
    swapped = Watched()
    swapped.same = False
    with pytest.raises(ModelError, match="last good look: 1"):
        Guard(swapped, ledger, Clock()).settle()
    assert ledger.completions(["a"]) == {}


def test_a_look_is_due_by_answers_and_by_time(ledger: Ledger) -> None:
    clock = Clock()
    guard = Guard(Watched(), ledger, clock)
    guard.begin()
    guard.store(answers(*(str(number) for number in range(ANSWERS - 1))))
    assert not guard.due
    guard.store(answers("one more"))
    assert guard.due
    guard.look()
    assert not guard.due
    clock.time += SECONDS
    assert guard.due


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("back", [True, False])
def test_a_process_looks_again_where_another_one_saw_a_swap(
    ledger: Ledger, stored: bool, back: bool
) -> None:
    """Workers of xdist: one sees the swap, whatever it had asked; the other looks before it asks."""
    clock, seeing, other = Clock(), Watched(), Watched()
    first, second = Guard(seeing, ledger, clock), Guard(other, ledger, clock)
    for guard in (first, second):
        guard.begin()
    clock.time += 1
    if stored:
        first.store(answers("a"))
    seeing.same = False
    with pytest.raises(ModelError, match="another model answers"):
        first.look()
    clock.time += 1
    other.same = back
    if back:
        second.begin()
        second.begin()
    else:
        with pytest.raises(ModelError, match="another model answers"):
            second.begin()
    assert other.looks == 2, "once at its start, once for the swap"
    with pytest.raises(ModelError, match="another model answers"):
        first.begin()


def test_a_process_that_ends_decides_what_a_dead_one_left_open(ledger: Ledger) -> None:
    dead, living = Watched(), Watched()
    guard = Guard(dead, ledger, Clock())
    guard.begin()
    guard.store(answers("a"))
    living.same = False
    with pytest.raises(ModelError, match="forgotten answers since the last good look: 1"):
        Guard(living, ledger, Clock()).finish()
    assert ledger.completions(["a"]) == {}


def test_an_unguarded_backend_is_only_stored(ledger: Ledger) -> None:
    guard = Guard(Oracle(), ledger, Clock())
    guard.settle()
    guard.begin()
    guard.store(answers(*(str(number) for number in range(ANSWERS))))
    assert not guard.due
    guard.end_window()
    guard.finish()
    assert len(ledger.completions(map(str, range(ANSWERS)))) == ANSWERS


def test_what_hangs_on_a_forgotten_answer_goes_with_it(ledger: Ledger) -> None:
    backend = Watched()
    guard = Guard(backend, ledger, Clock())
    guard.begin()
    guard.store(answers("clean-1", "c1-1"))
    guard.look()
    guard.store(answers("clean-2", "c2-1"))
    for task, cell, key in (
        ("T/1", Cell(), "clean-1"),
        ("T/1", Cell("C1"), "c1-1"),
        ("T/1", Cell("C2"), "c2-1"),
        ("T/2", Cell(), "clean-2"),
        ("T/2", Cell("C1"), "stored long ago"),  # but compared with a clean answer that goes
    ):
        ledger.observe("run", Observation(task, cell, Status.ROBUST), completions=[key])
    ledger.observe("other", Observation("T/1", Cell(), Status.ROBUST), completions=["clean-1"])
    ledger.conclude("run", "{}")
    ledger.conclude("other", "{}")
    backend.same = False
    with pytest.raises(ModelError):
        guard.finish()
    assert [(each.task_id, each.cell) for each in ledger.observations("run")] == [
        ("T/1", Cell("C1")),
        ("T/1", Cell()),
    ]
    assert len(ledger.observations("other")) == 1
    assert [run for run, _ in ledger.conclusions()] == ["other"]
