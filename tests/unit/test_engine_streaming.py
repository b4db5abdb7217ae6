"""Streams of rows to a served model: what is sent when, what is stored, and what is asked again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.streamed import ScriptedStream
from support.streamed_rows import DRAWN, TASK, name_row, run, variants

from pytest_coderobust.engine.completions import CompletionStore
from pytest_coderobust.engine.events import BatchStarted, RowsGenerated, silent
from pytest_coderobust.engine.guarding import Guard
from pytest_coderobust.engine.streaming import STORED_TOGETHER, AnswerStream
from pytest_coderobust.engine.verdicts import WAITING, WAITING_EACH, JudgeBrake, VerdictStore
from pytest_coderobust.errors import ModelError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import Look, Streamed, is_streaming
from pytest_coderobust.models.scripted import Scripted
from pytest_coderobust.records import (
    Completion,
    Row,
    Sampling,
    Usage,
    Verdict,
)
from pytest_coderobust.sandbox.check import Check


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite", "one")
    yield opened
    opened.close()


def test_backends_that_stream_are_told_without_reading_their_identity() -> None:
    class Heavy(Scripted):
        @property
        def identity(self):  # type: ignore[no-untyped-def]
            raise AssertionError("the weights would be hashed")

    assert is_streaming(ScriptedStream())
    assert not is_streaming(Heavy({}))


def test_longest_prompts_go_first_and_samples_of_a_prompt_together(ledger: Ledger) -> None:
    model = ScriptedStream(name_row)
    run(model, ledger, variants("a", "ccc", "bb"), DRAWN)
    assert model.sent == [(prompt, sample) for prompt in ("ccc", "bb", "a") for sample in range(3)]


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    width=st.integers(1, 9),
    seed=st.integers(0, 99),
    dies=st.integers(0, 17),
    ticks=st.booleans(),
)
def test_stream_that_died_goes_on_and_asks_nothing_stored_again(
    lengths: list[int],
    width: int,
    seed: int,
    dies: int,
    ticks: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite")
    wanted = variants(*(f"{place}" * length for place, length in enumerate(lengths)))
    dying = ScriptedStream(name_row, width=width, seed=seed, dies_after=dies, ticks=ticks)
    whole = ScriptedStream(name_row, width=width, seed=seed + 1, ticks=ticks)
    dies_early = dies < 3 * len(wanted)
    if dies_early:
        with pytest.raises(ModelError, match="the server is gone"):
            run(dying, ledger, wanted, DRAWN)
    answers = CompletionStore(whole, ledger, silent)
    assert answers.missing(wanted, DRAWN) == 3 * len(wanted) - (dies if dies_early else 0)
    run(whole, ledger, wanted, DRAWN)
    assert len(whole.sent) == 3 * len(wanted) - (dies if dies_early else 0)
    assert dying.most <= width
    for variant in wanted:
        found = answers.stored(variant, DRAWN)
        assert found is not None
        assert [each.text for _, each in found] == [f"{variant.prompt}/{k}" for k in range(3)]
    ledger.close()


def test_answers_are_stored_in_transactions_before_they_are_given(ledger: Ledger) -> None:
    """A clock that stands still leaves the number of answers to decide."""
    model = ScriptedStream(name_row, width=7)
    store = CompletionStore(model, ledger, silent)
    rows = store.missing_rows(variants(*(f"{n:03}" for n in range(150))), Sampling())
    sizes: list[int] = []
    stream = AnswerStream(model, Guard(model, ledger), silent, clock=lambda: 0.0)
    for answers in stream.read(rows, Sampling()):
        sizes += [len(answers)] if answers else []
        assert len(ledger.completions(each.key for each in answers)) == len(answers)
        assert len(ledger.completions(key for key, _ in rows)) == sum(sizes)
    assert sizes == [STORED_TOGETHER, STORED_TOGETHER, 150 - 2 * STORED_TOGETHER]


def test_time_stores_the_few_answers_of_a_slow_server(ledger: Ledger) -> None:
    seconds = iter(range(1000))
    model = ScriptedStream(name_row)
    store = CompletionStore(model, ledger, silent)
    rows = store.missing_rows(variants("a", "b", "c"), Sampling())
    stream = AnswerStream(model, Guard(model, ledger), silent, clock=lambda: next(seconds))
    found = list(stream.read(rows, Sampling()))
    assert [len(answers) for answers in found if answers] == [1, 1, 1]


def test_a_tick_stores_what_no_answer_pushes(ledger: Ledger) -> None:
    class Silent(ScriptedStream):
        """Falls silent after its first answer."""

        def stream(self, rows, sampling):  # type: ignore[no-untyped-def]  # noqa: ARG002
            row = next(rows)
            yield Streamed(row, Completion("first", "eos", 1), Usage(1))
            yield None
            (key,) = [key for key, _ in asked]
            seen.append(ledger.completions([key])[key].text)
            assert next(rows, None) is None

    model, seen = Silent(), list[str]()
    asked = CompletionStore(model, ledger, silent).missing_rows(variants("a"), Sampling())
    list(
        AnswerStream(model, Guard(model, ledger), silent, clock=lambda: 0.0).read(asked, Sampling())
    )
    assert seen == ["first"]


def test_interrupted_stream_keeps_what_was_answered(ledger: Ledger) -> None:
    def answer(row: Row) -> str:
        if len(model.sent) > 6:
            raise KeyboardInterrupt
        return name_row(row)

    model = ScriptedStream(answer, width=2)
    wanted = variants(*"abcdefghij")
    with pytest.raises(KeyboardInterrupt):
        run(model, ledger, wanted, Sampling())
    assert CompletionStore(model, ledger, silent).missing(wanted, Sampling()) == 10 - 5


def test_reader_that_goes_away_closes_the_stream(ledger: Ledger) -> None:
    model = ScriptedStream(name_row, width=5)
    given = CompletionStore(model, ledger, silent).generate(
        variants(*(f"{n:03}" for n in range(200))), Sampling()
    )
    next(given)
    given.close()  # type: ignore[attr-defined]
    assert model.gave_up == 4


def test_server_that_loses_a_row_is_an_error(ledger: Ledger) -> None:
    class Losing(ScriptedStream):
        def stream(self, rows, sampling):  # type: ignore[no-untyped-def]
            return (each for each in super().stream(rows, sampling) if self.answered != 2)

    with pytest.raises(ModelError, match="streamed left 1 rows unanswered"):
        run(Losing(name_row), ledger, variants(*"abcd"), Sampling())


def test_server_that_stops_asking_is_an_error(ledger: Ledger) -> None:
    class Idle(ScriptedStream):
        def stream(self, rows, sampling):  # type: ignore[no-untyped-def]  # noqa: ARG002
            return iter(())

    with pytest.raises(ModelError, match="streamed left the other rows unanswered"):
        run(Idle(), ledger, variants("a"), Sampling())


def test_answer_to_another_row_is_an_error(ledger: Ledger) -> None:
    class Confused(ScriptedStream):
        def stream(self, rows, sampling):  # type: ignore[no-untyped-def]  # noqa: ARG002
            row = next(rows)
            other = Row(row.variant, row.sample, row.noise)
            yield Streamed(other, Completion("", "eos"), Usage())

    with pytest.raises(ModelError, match="a row that was not asked"):
        run(Confused(), ledger, variants("a"), Sampling())


def test_progress_counts_rows_and_tokens(ledger: Ledger) -> None:
    heard: list[object] = []
    answers = CompletionStore(ScriptedStream(name_row), ledger, heard.append)
    list(answers.generate(variants("a", "b", "c"), Sampling()))
    generated = [event for event in heard if isinstance(event, RowsGenerated)]
    assert sum(event.rows for event in generated) == 3
    assert sum(event.tokens for event in generated) == 15
    assert heard[0] == BatchStarted(1, 512)


class Jury:
    """A sandbox whose checks are judged when a test says so."""

    tier = "jury"
    workers = 2

    def __init__(self) -> None:
        self.waiting: list[Future[Verdict]] = []

    def submit(self, check: Check) -> Future[Verdict]:  # noqa: ARG002
        self.waiting.append(Future())
        return self.waiting[-1]

    def close(self) -> None:
        pass


def test_sending_waits_while_judging_lags(ledger: Ledger) -> None:
    from pytest_coderobust.records import Level

    most = WAITING_EACH * Jury.workers + WAITING
    jury, model = Jury(), ScriptedStream(name_row, width=10)
    judge = VerdictStore(jury, ledger, silent)
    asked = variants(*(f"{n:04}" for n in range(most + 100)))
    rows = CompletionStore(model, ledger, silent).missing_rows(asked, Sampling())
    waited = 0

    def judge_one_more() -> None:
        nonlocal waited
        waited += 1
        jury.waiting.pop().set_result(Verdict(Level.FULL, 1, 1))

    class Waiting(JudgeBrake):
        def release(self) -> None:
            judge_one_more()
            super().release()

    stream = AnswerStream(model, Guard(model, ledger), silent, clock=lambda: 0.0)
    for answers in stream.read(rows, Sampling(), [Waiting(judge)]):
        judge.begin(Check(each.completion.text, "f", TASK.tests) for each in answers)
        assert len(jury.waiting) <= most + STORED_TOGETHER + model.width
    assert waited > 0
    assert len(model.sent) == most + 100


class Watched(ScriptedStream):
    """A model that is looked at: nothing may be on its way meanwhile."""

    looks = 0
    other_after = 99

    def look(self, own: object = ()) -> Look:  # noqa: ARG002
        assert self.answered == len(self.sent)
        self.looks += 1
        return Look(same=self.looks < self.other_after, told="another model answers")


@pytest.mark.parametrize("width", [1, 3, 50])
def test_nothing_is_on_its_way_while_the_model_is_looked_at(ledger: Ledger, width: int) -> None:
    seconds = iter(range(0, 100_000, 100))
    model = Watched(name_row, width=width)
    wanted = variants(*(f"{n:02}" for n in range(20)))
    answers = CompletionStore(
        model, ledger, silent, guard=Guard(model, ledger, lambda: next(seconds))
    )
    list(answers.generate(wanted, Sampling()))
    assert model.looks > 1
    assert len(model.sent) == len(set(model.sent)) == 20
    assert answers.missing(wanted, Sampling()) == 0


def test_answers_of_another_model_are_gone(ledger: Ledger) -> None:
    seconds = iter(range(0, 100_000, 100))
    model = Watched(name_row, width=2)
    model.other_after = 2
    wanted = variants(*(f"{n:02}" for n in range(20)))
    answers = CompletionStore(
        model, ledger, silent, guard=Guard(model, ledger, lambda: next(seconds))
    )
    with pytest.raises(ModelError, match="another model answers"):
        list(answers.generate(wanted, Sampling()))
    assert 0 < len(model.sent) < 20
    assert answers.missing(wanted, Sampling()) == 20


def test_a_ledger_that_lacks_nothing_asks_no_model(ledger: Ledger) -> None:
    model = Watched(name_row)
    list(CompletionStore(model, ledger, silent).generate(variants("a"), Sampling()))
    again = Watched(name_row)
    list(CompletionStore(again, ledger, silent).generate(variants("a"), Sampling()))
    assert (model.looks, again.looks, again.streams) == (1, 0, [])
