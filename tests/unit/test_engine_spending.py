"""Budgets in money and tokens: spent and reserved never pass the cap, whatever servers count."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scripted_server import Asked, Told, serve
from support.served_models import completed, make_row, open_toy, prompt_of
from support.streamed import ScriptedStream
from support.streamed_rows import TASK

from pytest_coderobust.engine.completions import CompletionStore
from pytest_coderobust.engine.events import silent
from pytest_coderobust.engine.spending import (
    BudgetSpent,
    Cap,
    Spending,
    Sum,
    check_cap,
    count_bytes,
)
from pytest_coderobust.errors import UsageError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import ServingTerms
from pytest_coderobust.models.metering import FRAME
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.scripted import Scripted
from pytest_coderobust.models.served.agreement import PlainAgreement
from pytest_coderobust.records import (
    Bill,
    Cell,
    Completion,
    Row,
    Sampling,
    Tariff,
    Usage,
    Variant,
)

TARIFF = Tariff(2.0, 10.0, 1.0)
LIMIT = 40
SAMPLING = Sampling(max_new_tokens=LIMIT)
COUNTS = PlainAgreement("toy", extra_tokens=0)
"""Agreed with a server whose counts are known, so that no prompt is checked for its length."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite", "one")
    yield opened
    opened.close()


def variants(count: int) -> list[Variant]:
    return [Variant(TASK, Cell(), f"{place:04}" * (1 + place % 7)) for place in range(count)]


class Counted(ScriptedStream):
    """A model with a tokenizer, whose server counts what a seed draws, within the worst case.

    `money` and `tokens` have what is certain after each row that is sent: what was answered at its
    price, what is on its way at the worst case; by arithmetic of its own.
    """

    def __init__(self, seed: int, width: int, spends: float = 1.0, retries: int = 0) -> None:
        super().__init__(lambda _row: "x", width=width, seed=seed, usage=self.draw)
        self.terms = ServingTerms(tariff=TARIFF)
        self.drawn = random.Random(seed)
        self.spends = spends
        self.retries = retries
        self.bills: list[Usage] = []

    def count_tokens(self, prompt: str, language: str) -> int | None:
        assert language == "python"
        return len(prompt)

    def draw(self, row: Row, _found: Completion) -> Usage:
        length = len(row.variant.prompt)
        cached = self.drawn.randint(0, length)
        output = round(self.spends * self.drawn.randint(0, LIMIT))
        usage = Usage(1, self.drawn.randint(0, self.retries), length, cached, output)
        self.bills.append(usage)
        return usage

    def exposure(self) -> Sum:
        """The counted part, and the worst case of all that is on its way."""
        on_way = self.sent[:]
        counted = sum(
            (u.input - u.cached) * 2.0 + u.cached * 1.0 + u.output * 10.0 for u in self.bills
        )
        tokens = sum(u.input + u.output for u in self.bills)
        lengths = sorted(len(prompt) for prompt, _ in on_way)
        for usage in self.bills:
            lengths.remove(usage.input)
        money = counted + sum(2.0 * length + 10.0 * LIMIT for length in lengths)
        return Sum(money / 1e6, tokens + sum(length + LIMIT for length in lengths))


@settings(deadline=None)
@given(
    seed=st.integers(0, 10**6),
    width=st.sampled_from([1, 3, 64]),
    rows=st.integers(1, 150),
    money=st.floats(0, 0.06) | st.none(),
    tokens=st.integers(0, 6000) | st.none(),
    spends=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_cap_is_never_passed_with_64_on_their_way(
    seed: int,
    width: int,
    rows: int,
    money: float | None,
    tokens: int | None,
    spends: float,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite", "one")
    model = Counted(seed, width, spends)
    spending = Spending(Cap(money, tokens), model, ledger)
    answers = CompletionStore(model, ledger, silent)
    most = Sum()

    class Watching(Spending):
        """Sees what is exposed after each row that is sent."""

        def sent(self, row: Row, sampling: Sampling) -> None:
            nonlocal most
            super().sent(row, sampling)
            seen = self.total
            most = Sum(max(most.money, seen.money), max(most.tokens, seen.tokens))

    spending = Watching(Cap(money, tokens), model, ledger)
    answers.brakes = (spending,)
    wanted = variants(rows)
    ended = False
    try:
        for _ in answers.generate(wanted, SAMPLING):
            exposed = model.exposure()
            assert money is None or exposed.money <= money * (1 + 1e-9)
            assert tokens is None or exposed.tokens <= tokens
    except BudgetSpent:
        ended = True
    exposed = model.exposure()
    assert money is None or max(exposed.money, most.money) <= money * (1 + 1e-9)
    assert tokens is None or max(exposed.tokens, most.tokens) <= tokens
    assert model.most <= 64
    bill = ledger.bills.of_session() or Bill()
    assert bill.usage.input + bill.usage.output == exposed.tokens
    assert (bill.cost or 0.0) == pytest.approx(exposed.money)
    # It ends early only where the next row's worst case does not fit any more.
    missing = answers.missing(wanted, SAMPLING)
    assert ended == (missing > 0)
    if ended:
        next_row = min(2.0 * length + 10.0 * LIMIT for length in (4, 28))
        largest = max(2.0 * 28 + 10.0 * LIMIT, next_row) / 1e6
        over_money = money is not None and exposed.money + largest > money
        over_tokens = tokens is not None and exposed.tokens + 28 + LIMIT > tokens
        assert over_money or over_tokens
    ledger.close()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), money=st.floats(0, 0.05))
def test_no_row_is_sent_once_retries_have_taken_the_rest(
    seed: int, money: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A request that was sent again may have been counted: it stays at its worst case."""
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite", "one")
    model = Counted(seed, 8, retries=2)

    class Strict(Spending):
        def sent(self, row: Row, sampling: Sampling) -> None:
            lost = sum(u.retries * (2.0 * u.input + 10.0 * LIMIT) for u in model.bills)
            worst = self.worst(row.variant, sampling).money
            assert model.exposure().money + lost / 1e6 + worst <= money * (1 + 1e-9)
            super().sent(row, sampling)

    answers = CompletionStore(model, ledger, silent)
    answers.brakes = (Strict(Cap(money), model, ledger),)
    try:
        list(answers.generate(variants(60), SAMPLING))
    except BudgetSpent as error:
        assert f"of {money:g} usd" in str(error)  # noqa: PT017  it may also have sufficed
    ledger.close()


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    fails=st.sampled_from([0.0, 0.4, 0.8]),
    room=st.integers(1, 30),
    concurrency=st.sampled_from([1, 8]),
)
def test_requests_that_follow_a_failed_one_stay_below_the_cap(
    seed: int, fails: float, room: int, concurrency: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The server counts each request in full, those that it answers with an error, too."""
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite", "one")
    wanted = [Variant(TASK, Cell(), f"{place:04}") for place in range(12)]
    worst = 4 + FRAME + LIMIT
    drawn = random.Random(seed)
    usage = {"prompt_tokens": 4 + FRAME, "completion_tokens": LIMIT}

    def script(asked: Asked) -> Told:
        if drawn.random() < fails:
            return Told(status=503, body={"error": {"message": "later"}})
        return completed(prompt_of(asked), usage=usage)

    with serve(script) as server:
        options = ModelOptions(concurrency=concurrency)
        model = open_toy(server.url, options=options, agreed=COUNTS)
        spending = Spending(Cap(tokens=room * worst), model, ledger)
        answers = CompletionStore(model, ledger, silent)
        answers.brakes = (spending,)
        ended = False
        try:
            list(answers.generate(wanted, SAMPLING))
        except BudgetSpent:
            ended = True
        model.close()
    assert len(server.asked) <= room
    assert spending.total.tokens == len(server.asked) * worst or ended
    assert ended == (answers.missing(wanted, SAMPLING) > 0)
    bill = ledger.bills.of_session() or Bill()
    # What had failed when the budget ended is kept for other processes, too.
    counted = bill.usage.input + bill.usage.output + bill.unsure_tokens
    assert counted == len(server.asked) * worst
    ledger.close()


def test_a_row_that_failed_waits_for_room_and_then_goes(ledger: Ledger) -> None:
    """Two worst cases fit: the row that failed goes again once the other one has told its counts."""
    wanted = [Variant(TASK, Cell(), text) for text in ("slow", "sick")]
    failed = threading.Event()

    def script(asked: Asked) -> Told:
        prompt = prompt_of(asked)
        if prompt == "sick" and not failed.is_set():
            failed.set()
            return Told(status=503, body={"error": {"message": "later"}})
        if prompt == "slow":
            failed.wait()
        return completed(prompt, usage={"prompt_tokens": 1, "completion_tokens": 1})

    with serve(script) as server:
        model = open_toy(server.url, options=ModelOptions(concurrency=2), agreed=COUNTS)
        answers = CompletionStore(model, ledger, silent)
        answers.brakes = (Spending(Cap(tokens=2 * (4 + FRAME + LIMIT) + 2), model, ledger),)
        list(answers.generate(wanted, SAMPLING))
        model.close()
    assert [prompt_of(asked) for asked in server.asked].count("sick") == 2
    assert answers.missing(wanted, SAMPLING) == 0


def test_other_processes_of_the_session_count_too(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ours, theirs, others = (Ledger(path, name) for name in ("one", "one", "two"))
    theirs.add_answers({}, "run", Bill(Usage(1, 0, 100, 0, 10), 0.1, 0.7))
    others.add_answers({}, "run", Bill(Usage(1, 0, 100, 0, 10), 0.1, 5.0))
    spending = Spending(Cap(money=1.0), Counted(0, 1), ours)
    spending.begin()
    assert spending.total == Sum(0.7, 110)
    assert spending.describe() == "0.7 of 1 usd"
    assert spending.affords(Sum(0.3))
    assert not spending.affords(Sum(0.31))
    for each in (ours, theirs, others):
        each.close()


def test_answer_without_counts_stays_at_its_worst_case(ledger: Ledger) -> None:
    model = ScriptedStream(lambda _row: "x", usage=lambda _row, _text: Usage(1))
    model.terms = ServingTerms(tariff=TARIFF)
    spending = Spending(Cap(tokens=3 * (4 + FRAME + LIMIT)), model, ledger)
    answers = CompletionStore(model, ledger, silent)
    answers.brakes = (spending,)
    with pytest.raises(BudgetSpent, match=r"324 of 324 tokens"):
        list(answers.generate([Variant(TASK, Cell(), f"{n:04}") for n in range(9)], SAMPLING))
    assert len(model.sent) == 3


def test_what_no_server_told_counts_for_other_processes_too(tmp_path: Path) -> None:
    """Another process of the session takes the lease, and starts with what this one has lost."""
    ours, theirs = (Ledger(tmp_path / "ledger.sqlite", "one") for _ in range(2))
    usages = iter([Usage(1, 2, 4, 0, 10), Usage(1)])  # sent three times; without counts
    model = ScriptedStream(lambda _row: "x", usage=lambda _row, _text: next(usages))
    model.terms = ServingTerms(tariff=TARIFF)
    most = 4 + FRAME + LIMIT
    list(CompletionStore(model, theirs, silent).generate(variants(2)[:1], SAMPLING))
    list(CompletionStore(model, theirs, silent).generate(variants(8)[7:], SAMPLING))
    spending = Spending(Cap(tokens=1000), model, ours)
    spending.begin()
    assert spending.total.tokens == 14 + 2 * most + most
    price = (4 + 3 * (4 + FRAME)) * 2.0 + (10 + 3 * LIMIT) * 10.0
    assert spending.total.money == pytest.approx(price / 1e6)
    for each in (ours, theirs):
        each.close()


@pytest.mark.parametrize(
    ("prompt", "size"),
    [("\u20ac", 3), ("a\ud800b", 5), ("\udcff\udcff", 6), ("\ud83d\ude00", 4)],
)
def test_a_prompt_without_a_tokenizer_is_bounded_by_the_bytes_that_are_sent(
    prompt: str, size: int, ledger: Ledger
) -> None:
    spending = Spending(Cap(tokens=1), ScriptedStream(), ledger)
    assert spending.worst(Variant(TASK, Cell(), prompt), SAMPLING).tokens == size + FRAME + LIMIT


SURROGATES = st.text(st.characters(categories=["Cs"]), min_size=1)
BROKEN = st.tuples(st.text(), SURROGATES, st.text(st.characters())).map("".join)


@settings(deadline=None, max_examples=10)
@given(prompts=st.lists(BROKEN, min_size=1, max_size=9))
def test_the_bytes_of_a_prompt_are_those_of_its_request(prompts: list[str]) -> None:
    rows = [make_row(prompt) for prompt in prompts]
    with serve(lambda _: completed("x")) as server:
        backend = open_toy(server.url)
        backend.generate(rows, SAMPLING)
    sent = sorted(len(prompt_of(asked).encode()) for asked in server.asked)
    assert sorted(count_bytes(backend, row.variant) for row in rows) == sent


def test_a_template_around_a_prompt_is_bounded_too(ledger: Ledger) -> None:
    model = ScriptedStream()
    model.terms = ServingTerms(frame=1000)
    spending = Spending(Cap(tokens=1), model, ledger)
    assert spending.worst(Variant(TASK, Cell(), "four"), SAMPLING).tokens == 1004 + FRAME + LIMIT


def test_caps_that_bound_nothing_are_refused() -> None:
    served = ScriptedStream()
    check_cap(Cap(tokens=5), served, "prod")
    with pytest.raises(
        UsageError, match=r"--budget 5usd needs a price, and the model 'prod' has none"
    ):
        check_cap(Cap(5.0), served, "prod")
    served.terms = ServingTerms(tariff=TARIFF)
    check_cap(Cap(5.0), served, "prod")
    with pytest.raises(UsageError, match=r"--budget 800tok bounds what a served model costs"):
        check_cap(Cap(tokens=800), Scripted({}), "tiny")
