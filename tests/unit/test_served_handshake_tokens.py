"""Tokens in a handshake: counts, BOS, windows and prompts that are cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from support.recorded_servers import HOSTED, LLAMA, VLLM, encode, play
from support.scripted_server import Script, ScriptedServer, Told, serve

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.served.handshake import (
    Handshake,
    HandshakeWish,
    check_truncation,
    shake_hands,
)
from pytest_coderobust.models.served.transport import PooledTransport


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with serve(play(LLAMA)) as running:
        yield running


Shake = Callable[..., Handshake]


@pytest.fixture
def shake(server: ScriptedServer) -> Iterator[Shake]:
    transport = PooledTransport(server.url, {})

    def ask(script: Script, **wish: object) -> Handshake:
        server.script = script
        server.asked.clear()
        shaken = shake_hands(transport, HandshakeWish(label="prod", **wish))  # type: ignore[arg-type]
        assert len(server.asked) <= 12
        return shaken

    yield ask
    transport.close()


def test_a_bos_that_the_tokenizer_leaves_out_is_counted(shake: Shake) -> None:
    script = play(replace(LLAMA, added=1, takes_ids=False))
    shaken = shake(script, encode=encode, bos=1)
    assert (shaken.takes_ids, shaken.extra_tokens) == (False, 1)


def test_a_doubled_bos_is_refused(shake: Shake) -> None:
    script = play(replace(LLAMA, added=1, takes_ids=False))
    with pytest.raises(ModelError, match=r"doubles the BOS token: it counts \d+ tokens.*has \d+"):
        shake(script, encode=encode, bos=5)


@pytest.mark.parametrize(("added", "seen"), [(7, "puts text of its own"), (-4, "truncates")])
def test_another_count_of_a_text_is_refused(shake: Shake, added: int, seen: str) -> None:
    script = play(replace(LLAMA, added=added, takes_ids=False))
    with pytest.raises(ModelError, match=seen):
        shake(script, encode=encode, bos=1)


def test_another_count_of_ids_is_refused(shake: Shake) -> None:
    with pytest.raises(ModelError, match=r"counts 20 tokens for a prompt.*sent as \d+ token ids"):
        shake(play(replace(LLAMA, window=20)), encode=encode)


def test_chat_counts_the_stated_template(shake: Shake) -> None:
    script = play(replace(HOSTED, answers_as="", added=9))
    wish = {"model": "gpt-9", "api": "chat", "hosted": True}
    framed = shake(script, **wish, encode=lambda prompt: [5] * 9 + encode(prompt))
    assert (framed.takes_ids, framed.extra_tokens) == (False, 0)
    with pytest.raises(ModelError, match="puts text of its own around prompts"):
        shake(script, **wish, encode=encode)


def test_no_tokenizer_says_nothing_of_tokens(shake: Shake, server: ScriptedServer) -> None:
    shaken = shake(play(LLAMA))
    assert (shaken.takes_ids, shaken.extra_tokens) == (False, None)
    assert all(isinstance(body["prompt"], str) for body in server.bodies("/completions"))


@pytest.mark.parametrize(
    ("claimed", "stated", "window"),
    [(512, None, 512), (512, 256, 256), (512, 9000, 512), (None, 256, 256), (None, None, None)],
)
def test_the_smaller_window_counts(
    shake: Shake, claimed: int | None, stated: int | None, window: int | None
) -> None:
    listed = {"data": [{"id": "tiny", "owned_by": "vllm", "max_model_len": claimed}]}
    script = play(replace(VLLM, gets={"/v1/models": Told(listed)}))
    assert shake(script, window=stated).window == window


@pytest.mark.parametrize("api", ["completions", "chat"])
def test_truncated_prompts_are_refused(server: ScriptedServer, api: str) -> None:
    wish = HandshakeWish("prod", api=api)  # type: ignore[arg-type]
    transport = PooledTransport(server.url, {})
    traits = replace(LLAMA, added=20)
    server.script = play(traits)
    shaken = shake_hands(transport, wish)
    longest = "".join(f"line {place}\n" for place in range(300))
    check_truncation(transport, shaken, wish, longest)
    server.script = play(replace(traits, window=1000))
    with pytest.raises(ModelError, match=r"truncates prompts: it counts \d+ tokens for a prompt"):
        check_truncation(transport, shaken, wish, longest * 2)
    transport.close()


def test_a_prompt_that_is_openly_too_long_is_no_truncation(server: ScriptedServer) -> None:
    wish = HandshakeWish("prod")
    transport = PooledTransport(server.url, {})
    shaken = shake_hands(transport, wish)
    server.script = lambda _: Told({"error": {"type": "exceed_context_size_error"}}, 400)
    check_truncation(transport, shaken, wish, "x" * 9000)
    transport.close()
