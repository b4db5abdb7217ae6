"""The bundled model behind llama.cpp's own server: the same tokens and texts as in process."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.real_servers import RealServer, find_free_port, serve_gguf
from support.served_pairs import SHORT, ask_here, ask_served, folder_entry, list_prompts

from pytest_coderobust.models.registry import ModelOptions, open_backend
from pytest_coderobust.models.served.handshake import (
    Handshake,
    HandshakeWish,
    check_truncation,
    shake_hands,
)
from pytest_coderobust.models.served.handshake_probes import SEED_PROMPT
from pytest_coderobust.models.served.patience import Patience, PatientTransport
from pytest_coderobust.models.served.transport import PooledTransport
from pytest_coderobust.records import Completion
from pytest_coderobust.tiny import checkpoint_path

TOKENS = SHORT.max_new_tokens


@dataclass(frozen=True)
class Pair:
    """The bundled model twice: in process, and behind a server that shook hands."""

    backend: Any
    transport: PooledTransport
    shaken: Handshake

    def encode(self, prompt: str) -> list[int]:
        ids: list[int] = self.backend.encode(prompt, "python")
        return ids

    def ask(self, prompt: str | list[int], **fields: object) -> dict[str, Any]:
        body = {
            "model": self.shaken.model,
            "prompt": prompt,
            "max_tokens": TOKENS,
            "temperature": 0,
        }
        reply = self.transport.post("/completions", {**body, **self.shaken.neutral, **fields})
        assert reply.ok, reply.text
        found: dict[str, Any] = reply.body
        return found


@pytest.fixture(scope="module")
def pair(llama_server: RealServer) -> Iterator[Pair]:
    backend: Any = open_backend("tiny", options=ModelOptions(threads=1))
    transport = PooledTransport(llama_server.url, {})
    wish = HandshakeWish(
        "prod",
        encode=lambda prompt: backend.encode(prompt, "python"),
        bos=backend.tokenizer.bos_token_id,
    )
    yield Pair(backend, transport, shake_hands(transport, wish))
    transport.close()
    backend.close()


@pytest.fixture(scope="module")
def prompts() -> list[str]:
    return list_prompts()


@pytest.fixture(scope="module")
def ours(prompts: list[str]) -> list[Completion]:
    return ask_here(prompts, SHORT)


def test_handshake_finds_what_the_server_is(pair: Pair) -> None:
    shaken = pair.shaken
    assert (shaken.kind, shaken.api, shaken.model, shaken.answered) == (
        "llamacpp", "completions", "tiny", "tiny",
    )  # fmt: skip
    assert (shaken.word, shaken.stop_limit, shaken.seeds) == ("max_tokens", 32, "honoured")
    assert (shaken.takes_ids, shaken.extra_tokens, shaken.window) == (True, 0, 512)
    claims = shaken.claims
    assert (claims.vocabulary, claims.parameters, claims.size) == (1024, 1714304, 4 * 1714304)
    assert claims.quantisation == "all F32"


def test_a_server_that_starts_is_met_as_soon_as_it_listens(tiny_gguf: Path, tmp_path: Path) -> None:
    port = find_free_port()
    log = tmp_path / "log.txt"
    with serve_gguf(tiny_gguf, log, port=port, wait=False) as server:
        transport = PooledTransport(server.url, {})
        patient = PatientTransport(transport, "here", "prod", Patience())
        shaken = shake_hands(patient, HandshakeWish("prod"))
        transport.close()
    assert (shaken.kind, shaken.window) == ("llamacpp", 512)


def test_token_ids_are_the_tokenizers(pair: Pair, prompts: list[str]) -> None:
    for prompt in prompts:
        asked = {"content": prompt, "parse_special": True}
        assert pair.transport.post("//tokenize", asked).body["tokens"] == pair.encode(prompt)


def test_greedy_texts_are_those_in_process(
    pair: Pair, prompts: list[str], ours: list[Completion]
) -> None:
    finishes = set()
    for prompt, own in zip(prompts, ours, strict=True):
        for form in (prompt, pair.encode(prompt)):
            told = pair.ask(form, stop=list(SHORT.stop))
            (choice,) = told["choices"]
            assert choice["text"] == own.text
            assert choice["finish_reason"] == ("length" if own.finish == "length" else "stop")
            assert told["usage"]["prompt_tokens"] == len(pair.encode(prompt))
            if own.finish == "eos":  # the end token is counted, too
                assert told["usage"]["completion_tokens"] == own.tokens + 1
        finishes.add(own.finish)
    assert finishes == {"eos", "stop", "length"}  # so that each end was compared


def test_forty_completions_are_those_in_process(
    llama_server: RealServer, prompts: list[str], ours: list[Completion]
) -> None:
    theirs = ask_served(llama_server, prompts, SHORT, 8, **folder_entry(checkpoint_path()))
    for own, other in zip(ours, theirs, strict=True):
        # It does not say whether a text ended by itself or by a stop string, which it leaves out.
        ended = {"stop": "eos"}.get(own.finish, own.finish)
        assert (other.text, other.finish) == (own.text, ended)
        assert other.tokens == own.tokens - (own.finish == "stop")


def test_a_stop_string_cuts_the_text(pair: Pair, prompts: list[str]) -> None:
    whole = pair.ask(prompts[0])["choices"][0]["text"]
    stop = whole[len(whole) // 2 :][:3]
    many = [f"<<{place}>>" for place in range(31)]
    cut = pair.ask(prompts[0], stop=[*many, stop])["choices"][0]
    assert cut == {**cut, "text": whole[: whole.index(stop)], "finish_reason": "stop"}


def test_a_seed_draws_the_same_sample_again(pair: Pair) -> None:
    drawn = [
        pair.ask(SEED_PROMPT, temperature=1.0, seed=seed)["choices"][0]["text"]
        for seed in (7, 7, 8, 9, 2**31 - 2)
    ]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 4


def test_a_small_top_p_is_greedy_at_any_temperature(pair: Pair, prompts: list[str]) -> None:
    """Shows that the temperature comes before top_p, and that no sampler of its own is left."""
    greedy = pair.ask(prompts[1])["choices"][0]["text"]
    fields = {"temperature": 1.5, "top_p": 1e-6, "seed": 3}
    assert pair.ask(prompts[1], **fields)["choices"][0]["text"] == greedy


def test_logprobs_are_those_of_the_network(pair: Pair, prompts: list[str]) -> None:
    import torch

    told = pair.ask(prompts[2], logprobs=2, max_tokens=4)["choices"][0]["logprobs"]["content"]
    ids = pair.encode(prompts[2])
    model = pair.backend.load().model
    for token in told:
        with torch.inference_mode():
            scores = model(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
        best = int(scores.argmax())
        assert token["id"] == best
        assert math.isclose(token["logprob"], float(scores[best]), abs_tol=1e-4)
        ids.append(best)


def test_the_server_truncates_no_prompt(pair: Pair, prompts: list[str]) -> None:
    check_truncation(pair.transport, pair.shaken, HandshakeWish("prod"), prompts[3])
    check_truncation(pair.transport, pair.shaken, HandshakeWish("prod"), prompts[3] * 20)


def test_a_prompt_beyond_the_window_is_refused_with_its_size(
    pair: Pair, prompts: list[str]
) -> None:
    body = {"model": "tiny", "prompt": prompts[3] * 20, "max_tokens": 1}
    reply = pair.transport.post("/completions", body)
    assert reply.status == 400
    error = reply.body["error"]
    assert error["type"] == "exceed_context_size_error"
    assert (error["n_prompt_tokens"], error["n_ctx"]) == (len(pair.encode(prompts[3] * 20)), 512)
