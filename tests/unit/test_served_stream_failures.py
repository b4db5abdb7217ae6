"""Failures in a stream: each class of the table of errors."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from queue import Empty, SimpleQueue

import pytest
from support.scripted_server import Asked, Told, serve
from support.served_models import (
    GREEDY,
    completed,
    make_row,
    make_rows,
    open_toy,
    prompt_of,
)
from support.served_streams import BAD, echo, ends, failing, run

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.backend import Streamed
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.served.agreement import PlainAgreement
from pytest_coderobust.models.served.crew import Crew, Returned
from pytest_coderobust.models.served.patience import Patience
from pytest_coderobust.models.served.sent_rows import SentRow
from pytest_coderobust.models.served.transport import PooledTransport, Reply
from pytest_coderobust.records import Completion


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
