"""Streams to a served model: rows side by side within the limit, over one server or several."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from support.scripted_server import Asked, Told, serve
from support.served_models import GREEDY, make_row, make_rows, open_toy, prompt_of
from support.served_streams import BAD, echo, run

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.backend import ServingTerms, Streaming
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.prompts import fill_template
from pytest_coderobust.models.served.agreement import PlainAgreement
from pytest_coderobust.models.watch import GenerationWatch, watched
from pytest_coderobust.records import Completion, Row, Tariff


def test_it_is_a_streaming_backend() -> None:
    assert isinstance(open_toy("http://127.0.0.1:1/v1"), Streaming)


def test_each_row_comes_back_once_with_its_own_answer() -> None:
    rows = make_rows(200)
    found, server = run(echo, rows, concurrency=16)
    assert Counter(id(each.row) for each in found) == Counter(id(row) for row in rows)
    for each in found:
        assert each.completion == Completion(each.row.variant.prompt.upper(), "eos", 2)
        assert (each.usage.requests, each.usage.retries, each.usage.output) == (1, 0, 3)
    assert len(server.asked) == 200


def test_no_more_than_allowed_are_on_their_way_and_a_few_wait_beside_them() -> None:
    lock = threading.Lock()
    here, most, pulled, ahead = 0, 0, 0, 0
    full = threading.Semaphore(0)

    def slow(asked: Asked) -> Told:
        nonlocal here, most
        with lock:
            here += 1
            most = max(most, here)
            if here == 8:
                full.release(100)
        full.acquire()
        with lock:
            here -= 1
        return echo(asked)

    def rows() -> Iterator[Row]:
        nonlocal pulled
        for row in make_rows(60):
            pulled += 1
            yield row

    with serve(slow) as server:
        backend = open_toy(server.url, options=ModelOptions(concurrency=8))
        for place, _ in enumerate(filter(None, backend.stream(rows(), GREEDY))):
            ahead = max(ahead, pulled - place)
            # A caller that is slow: whatever could be answered is.
            while len(server.asked) < pulled:
                time.sleep(0.001)
    assert most == 8
    assert ahead <= 2 * 8 + 1


def test_none_means_not_now() -> None:
    """Rows arrive in pairs, the next pair only when all before have come back."""
    waiting = make_rows(10)
    come_back = 0
    asked_at: list[int] = []

    def rows() -> Iterator[Row | None]:
        for place in range(0, 10, 2):
            while come_back < place:
                yield None
            asked_at.append(come_back)
            yield waiting[place]
            yield waiting[place + 1]

    with serve(echo) as server:
        backend = open_toy(server.url)
        for each in backend.stream(rows(), GREEDY):
            come_back += each is not None
    assert asked_at == [0, 2, 4, 6, 8]


def test_the_caller_has_a_turn_while_no_answer_comes() -> None:
    """The server waits until the caller had one."""
    turn = threading.Event()

    def script(asked: Asked) -> Told:
        turn.wait()
        return echo(asked)

    with serve(script) as server:
        stream = iter(open_toy(server.url).stream(iter([BAD]), GREEDY))
        assert next(stream) is None
        turn.set()
        (found,) = filter(None, stream)
    assert found.row is BAD


def test_an_error_of_the_rows_ends_the_stream() -> None:
    def rows() -> Iterator[Row]:
        yield from make_rows(3)
        raise ModelError("the budget is spent")

    with serve(echo) as server, pytest.raises(ModelError, match="the budget is spent"):
        list(open_toy(server.url).stream(rows(), GREEDY))


def test_terms_are_known_without_asking() -> None:
    price = Tariff(1.0, 2.0)
    entry = ServerEntry(("http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"), "toy", price=price)
    backend = open_toy(entry=entry, options=ModelOptions(concurrency=8))
    assert backend.terms == ServingTerms("127.0.0.1:1, 127.0.0.1:2", price, 16)
    assert open_toy(entry=entry).terms.concurrency == 0
    assert backend.count_tokens("def f():", "python") is None


@pytest.mark.parametrize("language", ["python", "cpp", "javascript", "typescript"])
def test_the_terms_tell_how_long_a_template_is_at_most(language: str) -> None:
    def change(entry: ServerEntry) -> ServerEntry:
        return replace(entry, chat=True)

    backend = open_toy("http://127.0.0.1:1/v1", change=change)
    filled = fill_template("", language, backend.server.spec)
    assert 0 <= backend.terms.frame - len(filled) <= 2 * len("{language}")


def test_an_empty_stream_asks_nobody() -> None:
    assert list(open_toy("http://127.0.0.1:1/v1").stream(iter(()), GREEDY)) == []


def test_a_stream_that_is_left_lets_go_of_what_is_on_its_way() -> None:
    """The server sees the connection end; else it would go on writing for nobody."""
    hang = threading.Event()

    def script(asked: Asked) -> Told:
        if asked.place:
            hang.wait()
        return echo(asked)

    with serve(script) as server:
        backend = open_toy(server.url, options=ModelOptions(concurrency=4))
        stream = backend.stream(iter(make_rows(50)), GREEDY)
        next(filter(None, stream))
        while len(server.asked) < 4:
            time.sleep(0.001)
        stream.close()  # type: ignore[attr-defined]
        for thread in threading.enumerate():
            if thread.name.startswith("coderobust-send"):
                thread.join()
        hang.set()
        last = "def last():\n"
        assert [each.text for each in backend.generate([make_row(last)], GREEDY)] == [last.upper()]
        # A busy server may take what was cut off as late as now, or see a request whose body was cut
        # with it; nothing is sent twice.
        asked = Counter(prompt_of(each) for each in server.asked if each.body)
        assert set(asked.values()) == {1}
        assert len(asked) <= 1 + 4 + 1


def test_several_servers_share_the_rows_and_one_that_fails_is_avoided() -> None:
    with serve(echo) as one, serve(echo) as other:
        backend = open_toy(one.url, other.url, options=ModelOptions(concurrency=4))
        assert len(list(filter(None, backend.stream(iter(make_rows(100)), GREEDY)))) == 100
        assert len(one.asked) + len(other.asked) == 100
        assert min(len(one.asked), len(other.asked)) > 10
    with serve(lambda _: Told(status=503)) as broken, serve(echo) as whole:
        backend = open_toy(broken.url, whole.url, options=ModelOptions(concurrency=2))
        found = list(filter(None, backend.stream(iter(make_rows(30)), GREEDY)))
    assert all(each.completion.finish == "eos" for each in found)
    assert len(found) == len(whole.asked) == 30


def test_servers_of_one_entry_must_be_alike() -> None:
    class Different:
        kinds = iter(["vllm", "llamacpp"])

        def introduce(self, *_: object) -> PlainAgreement:
            return PlainAgreement("toy", kind=next(self.kinds))

        def check_length(self, *_: object) -> None:
            pass

    from pytest_coderobust.models.served.backend import ServedBackend

    server = open_toy("http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1").server
    with pytest.raises(
        ModelError, match=r"the servers 127\.0\.0\.1:1 and 127\.0\.0\.1:2 are not alike"
    ):
        ServedBackend(server, Different()).identity  # noqa: B018


def test_a_later_stream_goes_on_where_the_first_ended() -> None:
    with serve(echo) as server:
        backend = open_toy(server.url, options=ModelOptions(concurrency=2))
        for _ in range(3):
            assert len(backend.generate(make_rows(5), GREEDY)) == 5
        backend.close()
        assert len(backend.generate(make_rows(5), GREEDY)) == 5, "closing is not the end"


def test_generate_tells_the_watch() -> None:
    class Watch(GenerationWatch):
        def __init__(self) -> None:
            self.seen: dict[int, Completion] = {}

        def ended(self, rows: Mapping[int, Completion]) -> None:
            self.seen.update(rows)

    watch = Watch()
    with serve(echo) as server, watched(watch):
        found = open_toy(server.url).generate(make_rows(9), GREEDY)
    assert dict(enumerate(found)) == watch.seen


def test_times_bound_the_time_of_answers_to_come() -> None:
    with serve(echo) as server:
        backend = open_toy(server.url, entry=ServerEntry((server.url,), "toy"))
        list(backend.stream(iter(make_rows(60)), GREEDY))
        assert backend.lanes[0].transport.read_seconds == 120.0
