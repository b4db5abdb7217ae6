"""The table of errors: each status has its course, and its words are short and printable."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.models.served.patience import Patience
from pytest_coderobust.models.served.replies import (
    Again,
    RowFails,
    SessionEnds,
    find_hint,
    judge_error,
    judge_reply,
    make_alike,
    say,
)
from pytest_coderobust.models.served.transport import Reply, TransportError


def reply(status: int, text: str = "", body: object = None, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, named, text, body, 0.1)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 529, 507, 520])
def test_what_may_pass_is_asked_again(status: int) -> None:
    found = judge_reply(reply(status))
    assert isinstance(found, Again)
    assert found.overload == (status == 429)
    assert found.failed == (status == 500)


@pytest.mark.parametrize("status", [401, 402, 403, 404, 405, 301, 302, 307, 308])
def test_what_will_not_pass_ends_the_session(status: int) -> None:
    assert isinstance(judge_reply(reply(status)), SessionEnds)


def test_a_spent_account_is_no_overload() -> None:
    text = '{"error": {"code": "insufficient_quota"}}'
    assert isinstance(judge_reply(reply(429, text)), SessionEnds)


@pytest.mark.parametrize("status", [400, 413, 422, 406, 415, 451])
def test_the_rest_fails_a_row(status: int) -> None:
    assert judge_reply(reply(status, "no")) == RowFails(f"{status}: no")


@pytest.mark.parametrize(
    "text",
    [
        "This model's maximum context length is 512 tokens. However, you requested 700 tokens",
        '{"error": {"type": "exceed_context_size_error", "n_prompt_tokens": 700, "n_ctx": 512}}',
        '{"error": {"code": "context_length_exceeded"}}',
        "the request exceeds the available context size, try increasing it",
        "The decoder prompt is longer than the maximum model length of 512.",
    ],
)
def test_a_prompt_that_is_too_long_is_told_apart(text: str) -> None:
    found = judge_reply(reply(400, text))
    assert isinstance(found, RowFails)
    assert found.overflow


def test_errors_of_the_way_have_courses_too() -> None:
    slow = judge_error(TransportError("slow", timed_out=True))
    assert slow == Again("slow", overload=True)
    assert judge_error(TransportError("reset", early=True)) == Again("reset")
    assert judge_error(TransportError("bad certificate", lasting=True)) == SessionEnds(
        "bad certificate"
    )


@given(st.text(max_size=1000))
def test_the_words_of_an_error_are_short_and_printable(text: str) -> None:
    for found in (say(reply(400, text)), say(reply(400, text, {"error": {"message": text}}))):
        assert 0 < len(found) <= 300
        assert found.isprintable()


@pytest.mark.parametrize(
    "body", [{"error": {"message": "why"}}, {"error": "why"}, {"message": "why"}, {"detail": "why"}]
)
def test_the_sentence_of_an_error_is_found(body: object) -> None:
    assert say(reply(400, "{...}", body)) == "why"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "soon"}, 0.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "9" * 400}, 0.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"}, 360.0),
        ({"x-ratelimit-reset-tokens": "20ms"}, 0.02),
        ({"retry-after": "3", "x-ratelimit-reset-tokens": "6m0s"}, 3.0),
        ({}, 0.0),
    ],
)
def test_a_hint_is_read_in_every_form(headers: dict[str, str], seconds: float) -> None:
    assert find_hint(headers, limited=True) == pytest.approx(seconds)


def test_a_hint_may_be_a_date() -> None:
    now = time.time()
    date = formatdate(now + 90, usegmt=True)
    assert find_hint({"retry-after": date}, limited=False, now=now) == pytest.approx(90, abs=1.0)
    assert find_hint({"retry-after": date}, limited=False, now=now + 500) == 0.0


def test_rate_counts_matter_only_where_a_limit_was_hit() -> None:
    headers = {"x-ratelimit-reset-tokens": "6m0s"}
    assert find_hint(headers, limited=False) == 0.0


def test_numbers_do_not_tell_reasons_apart() -> None:
    assert make_alike("400: 17 of 4 stops") == make_alike("400: 3 of 4 stops")
    assert make_alike("400: no stops") != make_alike("400: no seed")


@given(st.integers(1, 10_000), st.floats(0.0, 1e4), st.floats(0.5, 1.0))
def test_a_wait_grows_to_a_minute_and_is_never_shorter_than_the_hint(
    tries: int, hint: float, draw: float
) -> None:
    found = Patience(draw=lambda: draw).wait_before(tries, hint)
    own = draw * min(60.0, 0.5 * 2.0 ** min(tries - 1, 40))
    assert found == pytest.approx(max(hint, own))
