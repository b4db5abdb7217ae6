"""Streams: rows side by side within the limit, and each class of the table of errors."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from queue import Empty, SimpleQueue

import pytest
from support.scripted_server import Asked, ScriptedServer, Told, serve
from support.served_models import (
    AT_ONCE,
    GREEDY,
    completed,
    make_row,
    make_rows,
    open_toy,
    prompt_of,
)

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.backend import ServingTerms, Streamed, Streaming
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.prompts import fill_template
from pytest_coderobust.models.served.agreement import PlainAgreement
from pytest_coderobust.models.served.crew import Crew, Returned
from pytest_coderobust.models.served.patience import Patience
from pytest_coderobust.models.served.sent_rows import SentRow
from pytest_coderobust.models.served.transport import PooledTransport, Reply
from pytest_coderobust.models.watch import GenerationWatch, watched
from pytest_coderobust.records import Completion, Row, Tariff

BAD = make_row("bad")


def echo(asked: Asked) -> Told:
    return completed(prompt_of(asked).upper())


def failing(told: Told, times: int = 10**9) -> Callable[[Asked], Told]:
    """A script that answers the prompt "bad" so, that many times, and echoes all others."""
    left = iter(range(times))
    return lambda asked: told if prompt_of(asked) == "bad" and next(left, -1) >= 0 else echo(asked)


def run(
    script: Callable[[Asked], Told],
    rows: list[Row],
    concurrency: int = 4,
    patience: Patience = AT_ONCE,
) -> tuple[list[Streamed], ScriptedServer]:
    with serve(script) as server:
        backend = open_toy(
            server.url, options=ModelOptions(concurrency=concurrency), patience=patience
        )
        found = [each for each in backend.stream(iter(rows), GREEDY) if each is not None]
        backend.close()
    return found, server


def ends(script: Callable[[Asked], Told], rows: list[Row] | None = None, **how: int) -> str:
    """The message that ends a session."""
    with pytest.raises(ModelError) as caught:
        run(script, rows or make_rows(8), **how)
    return str(caught.value)


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
        seen = len(server.asked)
        assert [each.text for each in backend.generate(make_rows(1), GREEDY)] == ["DEF F0():\n"]
        assert len(server.asked) == seen + 1


@pytest.mark.parametrize(
    "told",
    [
        Told(status=status, body={"error": {"message": "later"}})
        for status in (408, 425, 429, 500, 502, 503, 504, 529)
    ]
    + [Told(reset=True)],
    ids=lambda told: str(told.status if not told.reset else "reset"),
)
def test_what_may_pass_is_tried_again(told: Told) -> None:
    found, server = run(failing(told, 2), [*make_rows(1), BAD])
    answered = {each.row.variant.prompt: each for each in found}
    assert answered["bad"].completion.text == "BAD"
    assert answered["bad"].usage.retries == 2
    assert len(server.asked) == 4


def test_a_connection_that_was_cut_is_tried_again_at_once_and_counts_once() -> None:
    """A server that closed a kept connection: nothing waits, though the patience is long."""
    found, server = run(
        failing(Told(reset=True), 1), [BAD], patience=Patience(first=1e6, longest=1e6)
    )
    assert found[0].completion.text == "BAD"
    assert found[0].usage.retries == 1
    assert server.asked[1].headers["connection"] == "close"


def test_retry_after_pauses_all_sending_to_that_server() -> None:
    """Nothing at all is sent between the answer 429 and the time that it asks for."""
    times: list[float] = []
    told_at: list[float] = []

    def script(asked: Asked) -> Told:
        times.append(time.monotonic())
        if asked.place == 1:
            told_at.append(time.monotonic())
            return Told({"error": "slow down"}, 429, {"Retry-After": "0.4"})
        return echo(asked)

    found, _ = run(script, make_rows(30), concurrency=1)
    assert len(found) == 30
    # One more may have been handed to the thread before the client read the answer.
    resumed = [at for at in times if at > told_at[0]]
    assert sum(at < told_at[0] + 0.4 for at in resumed) <= 1
    assert len(resumed) >= 28


def test_what_waits_for_its_turn_waits_for_the_pause_too() -> None:
    """Rows that were handed over before the server asked for the pause."""
    sent = SentRow(BAD, {}, None, 0)
    returned: SimpleQueue[Returned] = SimpleQueue()
    with serve(lambda _: completed("x")) as server:
        transport = PooledTransport(server.url)
        crew = Crew(transport, "/completions", 0, returned)
        crew.allow(4, time.monotonic() + 1e6)
        for _ in range(4):
            crew.send(sent)
        with pytest.raises(Empty):
            returned.get(timeout=0.3)
        assert server.asked == []
        crew.allow(4, 0.0)
        assert all(isinstance(returned.get().result, Reply) for _ in range(4))
        crew.close()


def test_an_overload_cuts_the_limit_and_a_failure_does_not() -> None:
    for status, limit in ((429, 3), (503, 4)):
        with serve(failing(Told(status=status), 1)) as server:
            backend = open_toy(server.url, options=ModelOptions(concurrency=4))
            list(backend.stream(iter([BAD]), GREEDY))
            assert backend.lanes[0].concurrency.limit == limit


@pytest.mark.parametrize("status", [401, 402, 403, 404, 405])
def test_what_will_not_pass_ends_the_session_at_once(status: int) -> None:
    told = Told({"error": {"message": "no\x00pe " * 200}}, status)
    found = ends(lambda _: told, concurrency=1)
    assert found.startswith("model 'toy': the server at 127.0.0.1:")
    assert f": {status}: no pe no pe" in found
    assert "\x00" not in found
    assert len(found) < 500


def test_a_redirect_is_not_followed() -> None:
    elsewhere = Told(status=307, headers={"Location": "http://127.0.0.1:9/stolen"})
    found = ends(lambda _: elsewhere, concurrency=1)
    assert "it redirects (307), and redirects are not followed" in found


def test_a_prompt_that_is_too_long_is_refused_and_the_others_go_on() -> None:
    """Also where it comes first, thrice: its length says nothing of the others."""
    told = Told({"error": {"message": "maximum context length is 512 tokens, not 700"}}, 400)
    found, server = run(failing(told), [BAD, BAD, BAD, *make_rows(3)], concurrency=1)
    refused = [each for each in found if each.completion.finish == "refused"]
    assert [each.completion for each in refused] == [Completion("", "refused")] * 3
    assert "700" in refused[0].told
    assert len(found) == len(server.asked) == 6


def test_a_row_that_is_refused_comes_back_without_an_answer() -> None:
    found, server = run(failing(Told({"error": "too odd"}, 422)), [*make_rows(3), BAD], 1)
    (refused,) = [each for each in found if each.completion.finish == "refused"]
    assert (refused.completion.text, refused.told) == ("", "422: too odd")
    assert refused.usage.requests == 1
    assert len(server.asked) == 4, "it is not asked again"


@pytest.mark.parametrize(
    "told",
    [
        Told({"error": {"message": "field 17 of row 4: unknown"}}, 400),
        completed("x", choices=[]),
        completed("x", "content_filter"),
        Told(b"<html>welcome</html>"),
    ],
    ids=["400", "no choice", "filtered", "a page"],
)
def test_the_first_three_rows_that_fail_alike_end_the_session(told: Told) -> None:
    answered: list[Streamed] = []
    with serve(lambda _: told) as server:
        backend = open_toy(server.url, options=ModelOptions(concurrency=1))
        stream = backend.stream(iter(make_rows(50)), GREEDY)
        with pytest.raises(ModelError, match="the first 3 rows were refused alike"):
            answered.extend(filter(None, stream))
    assert answered == [], "nobody stores a refusal that a mistake of the entry brought about"
    assert len(server.asked) <= 5


def test_first_rows_that_fail_otherwise_are_told_and_the_session_goes_on() -> None:
    reasons = ["alpha", "beta", "gamma"]

    def script(asked: Asked) -> Told:
        return Told({"error": reasons[asked.place]}, 400) if asked.place < 3 else echo(asked)

    found, _ = run(script, make_rows(6), 1)
    assert sorted(each.told for each in found if each.told) == [f"400: {word}" for word in reasons]
    assert sum(each.completion.finish == "eos" for each in found) == 3


def test_rows_that_fail_before_a_success_are_held_until_it_or_the_end() -> None:
    def script(asked: Asked) -> Told:
        return Told({"error": "no"}, 400) if asked.place < 2 else echo(asked)

    found, _ = run(script, make_rows(3), 1)
    assert [bool(each.told) for each in found] == [True, True, False]
    found, _ = run(lambda _: Told({"error": "no"}, 400), make_rows(2), 1)
    assert [each.told for each in found] == ["400: no"] * 2


def test_rows_that_were_held_when_a_stream_broke_do_not_come_in_the_next_one() -> None:
    def script(asked: Asked) -> Told:
        return Told({}, 400) if prompt_of(asked) == "bad" else Told({}, 401)

    with serve(script) as server:
        backend = open_toy(server.url, options=ModelOptions(concurrency=1))
        with pytest.raises(ModelError, match="401"):
            list(backend.stream(iter([BAD, make_row("good")]), GREEDY))
        server.script = echo
        rows = make_rows(3)
        found = [each.row for each in backend.stream(iter(rows), GREEDY) if each is not None]
        assert sorted(map(id, found)) == sorted(map(id, rows))
        backend.close()


def test_a_row_that_breaks_the_server_is_given_up_where_others_succeed() -> None:
    found, server = run(failing(Told({"error": "boom"}, 500)), [BAD, *make_rows(40)], 2)
    (refused,) = [each for each in found if each.told]
    assert refused.row is BAD
    assert refused.told == "3 times 500: boom"
    assert refused.usage.retries == 3
    assert len(found) == 41
    assert sum(prompt_of(asked) == "bad" for asked in server.asked) >= 3


def test_without_a_success_the_patience_ends_the_session() -> None:
    patience = Patience(most=5.0, first=2.0, longest=2.0, draw=lambda: 1.0)
    began = time.monotonic()
    with pytest.raises(ModelError) as caught:
        run(lambda _: Told(status=503), make_rows(1), patience=replace(patience, most=1.0))
    assert "gave no answer for 1 s, or asks to wait for longer; at last: 503" in str(caught.value)
    assert time.monotonic() - began < 60.0


def test_a_wait_that_is_longer_than_the_patience_is_not_begun() -> None:
    told = Told(status=429, headers={"Retry-After": "86400"})
    with pytest.raises(ModelError, match="asks to wait for longer; at last: 429"):
        run(lambda _: told, make_rows(1))


def test_an_answer_that_does_not_come_in_time_is_an_overload() -> None:
    hang = threading.Event()

    def script(asked: Asked) -> Told:
        if asked.place == 0:
            hang.wait()
        return echo(asked)

    with serve(script) as server:
        backend = open_toy(server.url, options=ModelOptions(concurrency=4))
        backend.lanes[0].transport.read_seconds = 0.2
        (found,) = filter(None, backend.stream(iter([BAD]), GREEDY))
        hang.set()
        assert found.completion.text == "BAD"
        assert found.usage.retries == 1
        assert backend.lanes[0].concurrency.limit == 3


def test_a_cut_in_the_middle_of_an_answer_is_tried_again_later() -> None:
    body = completed("x").body

    def script(asked: Asked) -> Told:
        if asked.place == 0:
            return Told(body, headers={"Content-Length": "9999", "Connection": "close"})
        return echo(asked)

    found, _ = run(script, [BAD])
    assert found[0].completion.text == "BAD"
    assert found[0].usage.retries == 1


def test_an_answer_under_another_name_ends_the_session() -> None:
    agreed = PlainAgreement("toy", answered="toy", kind="vllm", fingerprint="f1")
    names = iter(["toy", "toy", "other"])
    with serve(lambda _: completed("x", model=next(names))) as server:
        backend = open_toy(server.url, agreed=agreed, options=ModelOptions(concurrency=1))
        with pytest.raises(ModelError, match="answered as 'toy', and now as 'other'"):
            list(backend.stream(iter(make_rows(9)), GREEDY))


def test_another_fingerprint_ends_the_session_on_a_server_of_ones_own() -> None:
    for kind, refused in (("vllm", True), ("hosted", False)):
        agreed = PlainAgreement("toy", kind=kind, fingerprint="f1")
        with serve(lambda _: completed("x", system_fingerprint="f2")) as server:
            backend = open_toy(server.url, agreed=agreed)
            if not refused:
                assert len(list(filter(None, backend.stream(iter(make_rows(3)), GREEDY)))) == 3
                continue
            with pytest.raises(ModelError, match="fingerprint was 'f1', and is now 'f2'"):
                list(backend.stream(iter(make_rows(3)), GREEDY))


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
