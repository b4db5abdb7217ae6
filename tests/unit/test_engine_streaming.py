"""Streams of rows to a served model: what is sent when, what is stored, and what is asked again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.streamed import ScriptedStream

from pytest_coderobust.engine.completions import CompletionStore
from pytest_coderobust.engine.events import BatchStarted, RowsGenerated, silent
from pytest_coderobust.engine.guarding import Guard
from pytest_coderobust.engine.streaming import STORED_TOGETHER, AnswerStream
from pytest_coderobust.engine.verdicts import WAITING, WAITING_EACH, JudgeBrake, VerdictStore
from pytest_coderobust.errors import ModelError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import Look, ServingTerms, Streamed, is_streaming
from pytest_coderobust.models.scripted import Scripted
from pytest_coderobust.records import (
    Bill,
    Cell,
    Completion,
    Observation,
    RefusalReason,
    Row,
    Sampling,
    Status,
    Tariff,
    Task,
    Tests,
    Usage,
    Variant,
    Verdict,
)
from pytest_coderobust.sandbox.check import Check

TASK = Task("T/0", "def f():\n", "f", Tests("assert f() == 1", "asserts"), "    return 1\n")
DRAWN = Sampling(n=3, temperature=0.8)


def variants(*prompts: str) -> list[Variant]:
    return [Variant(TASK, Cell("C1", seed), prompt) for seed, prompt in enumerate(prompts)]


def name_row(row: Row) -> str:
    return f"{row.variant.prompt}/{row.sample}"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite", "one")
    yield opened
    opened.close()


def run(model: ScriptedStream, ledger: Ledger, wanted: list[Variant], sampling: Sampling) -> None:
    for _ in CompletionStore(model, ledger, silent).generate(wanted, sampling):
        pass


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


def test_bills_of_a_run_are_summed_and_told_apart(ledger: Ledger, tmp_path: Path) -> None:
    def use(row: Row, _found: Completion) -> Usage:
        return Usage(1, row.sample, 100, 40, 10, 3, 0.5, int(row.sample == 2))

    tariff = Tariff(input=2.0, output=6.0, cached=1.0)
    for session in ("one", "two"):
        opened = Ledger(tmp_path / "ledger.sqlite", session)
        model = ScriptedStream(name_row, usage=use)
        rows = CompletionStore(model, opened, silent).missing_rows(variants(session), DRAWN)
        model.terms = ServingTerms(tariff=tariff)
        stream = AnswerStream(model, Guard(model, opened), silent, run="run")
        list(stream.read(rows, DRAWN))
        bill = opened.bills.of_session()
        assert bill is not None
        assert bill.usage == Usage(3, 3, 300, 120, 30, 9, 1.5, 1)
        assert bill.cost == pytest.approx((180 * 2 + 120 * 1 + 30 * 6) / 1e6)
        opened.close()
    both = ledger.bills.of_run("run")
    assert both is not None
    assert (both.usage.requests, both.sessions) == (6, 2)
    assert both.cost == pytest.approx(2 * (180 * 2 + 120 * 1 + 30 * 6) / 1e6)
    assert ledger.bills.of_run("another run") is None


@pytest.mark.parametrize(
    ("costs", "total"), [((None, None), None), ((None, 2.0), 2.0), ((2.0, None), 2.0), ((1.0, 2.0), 3.0)]
)  # fmt: skip
def test_costs_are_added_where_there_are_prices(
    ledger: Ledger, costs: tuple[float | None, ...], total: float | None
) -> None:
    for cost in costs:
        ledger.add_answers({}, "run", Bill(Usage(1), 0.5, cost))
    found = ledger.bills.of_run("run")
    assert found is not None
    assert (found.cost, found.usage.requests, found.wall) == (total, 2, 1.0)


def test_cached_tokens_cost_as_others_without_a_price_of_their_own() -> None:
    assert Tariff(1.0, 2.0).cost(Usage(1, 0, 10, 4, 5)) == pytest.approx(20 / 1e6)
    assert Tariff(1.0, 2.0, 0.5).cost(Usage(1, 0, 10, 4, 5)) == pytest.approx(18 / 1e6)


def test_a_refused_row_is_asked_again_by_the_next_session_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    wanted = variants("a", "b")

    def refuse(row: Row) -> Completion:
        return Completion("", "refused") if row.variant.prompt == "a" else Completion("b", "eos")

    first, same, later, reader = (Ledger(path, name) for name in ("one", "one", "two", ""))
    run(ScriptedStream(refuse), first, wanted, Sampling())
    model = ScriptedStream(refuse)
    for ledger, missing in ((first, 0), (same, 0), (later, 1), (reader, 0)):
        assert CompletionStore(model, ledger, silent).missing(wanted, Sampling()) == missing
    answers = CompletionStore(model, reader, silent)
    found = answers.stored(wanted[0], Sampling())
    assert found is not None
    assert found[0][1] == Completion("", "refused")
    run(ScriptedStream(lambda _row: "now"), later, wanted, Sampling())
    found = answers.stored(wanted[0], Sampling())
    assert found is not None
    assert found[0][1].text == "now"
    for each in (first, same, later, reader):
        each.close()


def test_reasons_of_refusals_are_kept_by_row_and_gone_once_it_is_answered(tmp_path: Path) -> None:
    """Reasons that differ in numbers alone are one; a session sees those of its own rows."""

    class Refusing(ScriptedStream):
        def stream(self, rows, sampling):  # type: ignore[no-untyped-def]
            for each in super().stream(rows, sampling):
                told = f"400: {len(each.row.variant.prompt)} tokens" if each.row.sample else "no"
                yield replace(each, completion=Completion("", "refused"), told=told)

    path, wanted = tmp_path / "ledger.sqlite", variants("a", "bb")
    first = Ledger(path, "one")
    run(Refusing(), first, wanted, DRAWN)
    answers = CompletionStore(Refusing(), first, silent)
    for variant in wanted:
        keys = tuple(answers.keys(variant, DRAWN))
        seen = Observation("T/0", variant.cell, Status.UNSOLVED, n=3, refused=3)
        first.observe("run", seen, completions=keys)
    squares = [("T/0", variant.cell) for variant in wanted]
    assert first.refusals.count_reasons("run", squares) == (
        RefusalReason("400: 1 tokens", 4),
        RefusalReason("no", 2),
    )
    later = Ledger(path, "two")
    assert later.refusals.count_reasons("run", squares) == ()
    for each in (first, later):
        each.close()


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
