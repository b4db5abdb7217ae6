"""Answers of served models: the text to its first stop, its end, its price; and what is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_server import Asked, Told, serve
from support.served_models import chatted, completed, make_rows, open_toy

from pytest_coderobust.models.served.agreement import PlainAgreement
from pytest_coderobust.models.served.answers import NotAnAnswer, cut, read_answer
from pytest_coderobust.models.served.requests import choose_stops
from pytest_coderobust.records import Completion, Sampling, Usage

texts = st.text("ab\n", max_size=12)


def read(told: Told, *stop: str) -> Any:
    return read_answer(told.body, Sampling(stop=stop), 35, 1.5)


@given(texts, st.lists(st.text("ab\n", min_size=1, max_size=3), max_size=5).map(tuple))
def test_the_text_ends_before_the_earliest_stop(text: str, stops: tuple[str, ...]) -> None:
    found = cut(text, stops)
    assert text.startswith(found)
    assert not any(stop in found for stop in stops)
    rest = text[len(found) :]
    assert not rest or any(rest.startswith(stop) for stop in stops)


def cut_as_listed(text: str, stops: Sequence[str], width: int) -> str:
    """Cuts as vLLM does: after each token, at the first stop of the list that is there."""
    for end in range(0, len(text) + width, width):
        for stop in stops:
            if (place := text[:end].find(stop)) >= 0:
                return text[:place]
    return text


@given(
    st.text("ab`\n", max_size=30),
    st.lists(st.text("ab`\n", min_size=1, max_size=4), max_size=20, unique=True).map(tuple),
    st.integers(0, 5),
)
def test_a_server_of_four_stops_gives_the_text_of_one_of_twenty(
    whole: str, stops: tuple[str, ...], width: int
) -> None:
    sent = choose_stops(stops)
    for limit in (0, 1, 4, 20):
        told = cut_as_listed(whole, sent[:limit], width) if width else cut(whole, sent[:limit])
        assert read(completed(told), *stops).completion.text == cut(whole, stops)


def test_stops_that_hide_others_are_not_sent() -> None:
    assert choose_stops(("\n```", "```", "\ndef", "\n\n\n", "\n\n")) == (
        "\n\n", "\n```", "\ndef",
    )  # fmt: skip
    human_eval = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
    assert choose_stops(human_eval) == human_eval
    assert choose_stops(("\n\n\n", "\n\n")) == ("\n\n",)


@pytest.mark.parametrize("number", [5, 20])
def test_more_stops_than_the_server_takes_are_cut_here(number: int) -> None:
    stops = tuple(f"<{place}>" for place in range(number))
    whole = "one\n" + "".join(f"two{stop}" for stop in reversed(stops))

    def generous(asked: Asked) -> Told:
        sent = tuple(asked.body.get("stop", ()))
        if len(sent) > asked_limit:
            return Told({"error": {"message": "at most 4 stops"}}, 400)
        return completed(cut(whole, sent))

    found = []
    for asked_limit in (4, 20):
        agreed = PlainAgreement("toy", stop_limit=asked_limit)
        with serve(generous) as server:
            backend = open_toy(server.url, agreed=agreed)
            found += backend.generate(make_rows(1), Sampling(stop=stops))
    assert [each.text for each in found] == ["one\ntwo", "one\ntwo"]


@pytest.mark.parametrize(
    ("told", "stop", "meant"),
    [
        (completed("ab", "stop"), "", Completion("ab", "eos", 2)),
        (completed("ab", "length"), "", Completion("ab", "length", 3)),
        (completed("ab", "length"), "b", Completion("a", "stop", 3)),
        (completed("ab", "stop"), "b", Completion("a", "stop", 3)),
        (completed("", "stop"), "", Completion("", "eos", 2)),
        (chatted(" x ", "stop", usage={"prompt_tokens": 5, "completion_tokens": 3}), "",
         Completion(" x ", "eos", 2)),
    ],
)  # fmt: skip
def test_the_end_is_found(told: Told, stop: str, meant: Completion) -> None:
    assert read(told, *filter(None, [stop])).completion == meant


def test_a_named_stop_of_vllm_is_a_stop() -> None:
    body = completed("ab").body
    body["choices"][0]["stop_reason"] = "\n\n"
    assert read(Told(body)).completion == Completion("ab", "stop", 3)
    body["choices"][0]["stop_reason"] = 151643  # an end token's id
    assert read(Told(body)).completion.finish == "eos"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (None, "something else than a completion"),
        ([], "something else than a completion"),
        ({"error": "x"}, "something else than a completion"),
        ({"choices": []}, "0 completions came in place of one"),
        ({"choices": [{"text": "a"}, {"text": "b"}]}, "2 completions came in place of one"),
        ({"choices": [{}]}, "it has no text"),
        ({"choices": ["x"]}, "it has no text"),
        ({"choices": [{"text": None}]}, "it has no text"),
        ({"choices": [{"message": {"content": None}, "text": "a"}]}, "it has no text"),
        ({"choices": [{"message": {"content": None, "refusal": "I won't"}}]}, "refuses: I won't"),
        *(({"choices": [{"text": "a", "finish_reason": reason}]}, f"ended it by '{reason}'")
          for reason in ("content_filter", "tool_calls", "function_call", "abort")),
    ],
)  # fmt: skip
def test_what_is_no_answer_never_counts_as_an_empty_text(body: object, told: str) -> None:
    with pytest.raises(NotAnAnswer, match=told):
        read(Told(body))


def test_usage_is_kept() -> None:
    usage = {
        "prompt_tokens": 50, "completion_tokens": 30,
        "prompt_tokens_details": {"cached_tokens": 40},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }  # fmt: skip
    found = read(completed("ab", usage=usage))
    assert found.usage == Usage(1, 0, 50, 40, 30, 20, 1.5, 0)
    assert found.prompt_tokens == 50


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": "5"}, {"completion_tokens": True}])
def test_missing_counts_are_estimated_and_marked(usage: object) -> None:
    found = read(completed("a" * 70, usage=usage))
    assert found.usage == Usage(1, 0, 10, 0, 20, 0, 1.5, 1)
    assert found.completion.tokens == 20, "an estimate has no end token"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "text", "message", "content", "usage", "finish_reason",
                             "completion_tokens", "prompt_tokens_details"]),
            inner, max_size=4)
    ),
    max_leaves=20,
)  # fmt: skip


@given(json_values)
def test_any_json_is_an_answer_or_said_to_be_none(body: Any) -> None:
    try:
        found = read(Told(body), "a")
    except NotAnAnswer:
        return
    assert "a" not in found.completion.text
    assert found.completion.tokens >= 0
