"""Bills and refusals of streams: what each session asked, and rows that no server would answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.streamed import ScriptedStream
from support.streamed_rows import DRAWN, name_row, run, variants

from pytest_coderobust.engine.completions import CompletionStore
from pytest_coderobust.engine.events import silent
from pytest_coderobust.engine.guarding import Guard
from pytest_coderobust.engine.streaming import AnswerStream
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import ServingTerms
from pytest_coderobust.records import (
    Bill,
    Completion,
    Observation,
    RefusalReason,
    Row,
    Sampling,
    Status,
    Tariff,
    Usage,
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite", "one")
    yield opened
    opened.close()


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
