"""Canaries on the wire and in files: both forms of log-probabilities, and prompts of the user's own."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_server import Asked, Told, serve

from pytest_coderobust.errors import ConfigError, ModelError
from pytest_coderobust.models.served.canary import (
    CANARIES,
    Canary,
    CanaryAnswer,
    CanaryToken,
    read_canaries,
)
from pytest_coderobust.models.served.canary_asking import CanaryAsker
from pytest_coderobust.models.served.canary_wire import (
    LEAST,
    ask_for_logprobs,
    read_canary_answer,
)
from pytest_coderobust.models.served.transport import PooledTransport
from pytest_coderobust.records.codec import decode, encode

LLAMA = {
    "choices": [
        {
            "text": " two",
            "finish_reason": "length",
            "logprobs": {
                "content": [
                    {
                        "id": 7,
                        "token": " two",
                        "bytes": [32, 116],
                        "logprob": -0.25,
                        "top_logprobs": [
                            {"id": 7, "token": " two", "logprob": -0.25},
                            {"id": 8, "token": " 2", "logprob": -1.5},
                        ],
                    }
                ]
            },
        }
    ]
}
"""An answer of llama.cpp on /v1/completions: the chat form."""

VLLM = {
    "choices": [
        {
            "text": " two",
            "logprobs": {
                "tokens": [" two"],
                "token_logprobs": [-0.25],
                "top_logprobs": [{" two": -0.25, " 2": -1.5}],
                "text_offset": [0],
            },
        }
    ]
}
TOKEN = CanaryToken(" two", -0.25, ((" two", -0.25), (" 2", -1.5)))


@pytest.mark.parametrize("body", [LLAMA, VLLM])
def test_both_forms_are_read_alike(body: object) -> None:
    assert read_canary_answer(body) == CanaryAnswer(" two", (TOKEN,))


def choice(**fields: Any) -> dict[str, Any]:
    return {"choices": [fields]}


def test_a_chat_is_read_with_its_thought() -> None:
    message = {"role": "assistant", "content": "4", "reasoning_content": "2 + 2. "}
    assert read_canary_answer(choice(message=message)).text == "2 + 2. 4"
    assert read_canary_answer(choice(message={"content": None})) == CanaryAnswer("")


@pytest.mark.parametrize("body", [None, [], {}, {"choices": []}, {"choices": [{}, {}]}, "text"])
def test_something_else_is_no_completion(body: object) -> None:
    with pytest.raises(ModelError, match="is no completion"):
        read_canary_answer(body)


@pytest.mark.parametrize("logprobs", [None, [], "x", {"tokens": ["a"]}, {"content": "x"}])
def test_log_probabilities_that_are_not_there_leave_the_text(logprobs: object) -> None:
    assert read_canary_answer(choice(text="a", logprobs=logprobs)) == CanaryAnswer("a")


def test_numbers_that_json_has_not_become_finite_ones() -> None:
    numbers = ["-Infinity", "NaN", "Infinity", "1" + "0" * 400]
    told = {"tokens": list("abcd"), "token_logprobs": json.loads(f"[{', '.join(numbers)}]")}
    tokens = read_canary_answer(choice(text="abc", logprobs=told)).tokens
    assert [token.logprob for token in tokens] == [LEAST, None, None, None]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.just(10**400)
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["content", "token", "tokens", "logprob", "token_logprobs", "top_logprobs"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_log_probabilities_are_read_or_left_out(logprobs: object) -> None:
    found = read_canary_answer(choice(text="a", logprobs=logprobs))
    numbers = [token.logprob for token in found.tokens if token.logprob is not None]
    numbers += [value for token in found.tokens for _, value in token.rivals]
    assert all(math.isfinite(number) for number in numbers)
    assert decode(CanaryAnswer, json.loads(json.dumps(encode(found)))) == found


def test_both_forms_are_asked_for() -> None:
    assert ask_for_logprobs({"model": "m"}, chat=False) == {"model": "m", "logprobs": 5}
    chat = ask_for_logprobs({"model": "m"}, chat=True)
    assert chat == {"model": "m", "logprobs": True, "top_logprobs": 5}


def test_a_server_in_trouble_is_told() -> None:
    def broken(_: Asked) -> Told:
        return Told({"error": "boom"}, status=500)

    def make_body(canary: Canary, tokens: int) -> dict[str, object]:
        return {"prompt": canary.prompt, "max_tokens": tokens}

    with serve(broken) as server:
        ask = CanaryAsker(PooledTransport(server.url), make_body, print, "the server", chat=False)
        with pytest.raises(ModelError, match="the server answers a canary with 500"):
            ask(CANARIES[0], 8)


def test_own_canaries_are_read_apart(tmp_path: Path) -> None:
    file = tmp_path / "own.txt"
    file.write_text("def one():\n    pass\n\n---\n---\n  indented\n---\n  indented\n")
    assert read_canaries(file) == (
        Canary("own.txt:1", "def one():\n    pass"),
        Canary("own.txt:2", "  indented"),
    )


@pytest.mark.parametrize("text", ["", "---\n\n---\n", "---\n".join(f"p{n}\n" for n in range(65))])
def test_a_file_without_prompts_or_with_too_many_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.txt").write_text(text)
    with pytest.raises(ConfigError, match=r"has \d+ prompts; it must have 1 to 64"):
        read_canaries(tmp_path / "own.txt")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_canaries(tmp_path / "absent.txt")


def test_canaries_are_small_enough_for_small_windows() -> None:
    assert len({canary.name for canary in CANARIES}) == len({c.prompt for c in CANARIES}) == 5
    assert all(len(canary.prompt.encode()) < 700 for canary in CANARIES)
