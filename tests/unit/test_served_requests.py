"""Requests to a served model: one sample each, in fields that every server reads alike."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from support.scripted_server import serve
from support.served_models import chatted, completed, make_row, open_toy

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.served.agreement import PlainAgreement
from pytest_coderobust.models.served.requests import AskedRow, make_body
from pytest_coderobust.records import Sampling

ENTRY = ServerEntry(("http://127.0.0.1/v1",), "toy")
samplings = st.builds(
    Sampling,
    n=st.integers(1, 50),
    temperature=st.sampled_from([0.0, 0.2, 1.0]),
    top_p=st.floats(0.1, 1.0),
    max_new_tokens=st.integers(1, 4096),
    stop=st.lists(st.text(min_size=1, max_size=5), max_size=30).map(tuple),
    seed=st.integers(0, 2**31),
)


@given(
    samplings,
    st.integers(0, 2**64 - 1),
    st.integers(0, 20),
    st.sampled_from(["completions", "chat"]),
)
def test_a_request_asks_for_one_sample_within_what_the_server_takes(
    sampling: Sampling, noise: int, limit: int, api: str
) -> None:
    agreed = PlainAgreement("toy", api, stop_limit=limit)  # type: ignore[arg-type]
    body = make_body(AskedRow("p", None, sampling.max_new_tokens), noise, sampling, agreed, ENTRY)
    assert "n" not in body
    assert body["max_tokens"] == sampling.max_new_tokens
    if sampling.temperature == 0.0:
        assert "seed" not in body
    else:
        assert body["seed"] == noise % (2**31 - 1)
        assert 0 <= int(str(body["seed"])) < 2**31 - 1
    stop = body.get("stop", [])
    assert len(stop) <= limit
    assert set(stop) <= set(sampling.stop)
    assert ("stop" in body) == bool(stop), "an empty list breaks servers"
    json.dumps(body)


def test_a_server_that_refuses_seeds_gets_none() -> None:
    agreed = PlainAgreement("toy", seeds="refused")
    body = make_body(AskedRow("p", None, 8), 7, Sampling(temperature=1.0), agreed, ENTRY)
    assert "seed" not in body


def test_neutral_fields_and_the_users_own_are_sent_and_the_users_win() -> None:
    agreed = PlainAgreement("toy", neutral={"top_k": 0, "min_p": 0.0}, word="max_completion_tokens")
    entry = ServerEntry(ENTRY.servers, "toy", sampling_fields={"top_k": 5}, reasoning="low")
    body = make_body(AskedRow([1, 2], 2, 8), 7, Sampling(), agreed, entry)
    assert body["top_k"] == 5
    assert body["min_p"] == 0.0
    assert body["reasoning_effort"] == "low"
    assert body["max_completion_tokens"] == 8
    assert body["prompt"] == [1, 2]


def test_a_completion_is_asked_for_the_template_around_the_prompt() -> None:
    with serve(lambda _: completed("x")) as server:
        entry = ServerEntry((server.url,), "toy", template="# {language}\n{prompt}")
        open_toy(entry=entry).generate([make_row("def {f}():")], Sampling())
    (asked,) = server.asked
    assert asked.path == "/v1/completions"
    assert asked.body["prompt"] == "# python\ndef {f}():"


def test_a_chat_is_asked_with_one_message_and_no_tools() -> None:
    with serve(lambda _: chatted("```python\nx\n```")) as server:
        backend = open_toy(server.url, options=ModelOptions(chat=True))
        (found,) = backend.generate([make_row("def f():")], Sampling())
    (asked,) = server.asked
    assert asked.path == "/v1/chat/completions"
    (message,) = asked.body["messages"]
    assert message["role"] == "user"
    assert message["content"].endswith("```python\ndef f():\n```")
    assert not {"tools", "stream", "n"} & set(asked.body)
    assert found.text == "```python\nx\n```"
    assert backend.identity.facts["prompt"] == "chat"


def test_the_api_follows_chat_unless_it_is_said() -> None:
    for entry, options, api in (
        (ServerEntry(ENTRY.servers), ModelOptions(), "completions"),
        (ServerEntry(ENTRY.servers, chat=True), ModelOptions(), "chat"),
        (ServerEntry(ENTRY.servers, api="chat"), ModelOptions(), "chat"),
        (ServerEntry(ENTRY.servers, api="completions", chat=True), ModelOptions(), "completions"),
        (ServerEntry(ENTRY.servers, chat=True), ModelOptions(chat=False), "completions"),
    ):
        assert open_toy(entry=entry, options=options).agreement.api == api


def test_half_a_character_becomes_the_sign_for_it() -> None:
    with serve(lambda _: completed("x")) as server:
        open_toy(server.url).generate([make_row("a\ud800b")], Sampling())
    assert server.asked[0].body["prompt"] == "a\ufffdb"
