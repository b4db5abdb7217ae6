"""Handshake with scripted servers: each row of the recorded behaviour of real ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recorded_servers import HOSTED, LLAMA, TRANSFORMERS, VLLM, Traits, encode, play
from support.scripted_server import Asked, Script, ScriptedServer, Told, serve

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.served.handshake import (
    Handshake,
    HandshakeWish,
    shake_hands,
)
from pytest_coderobust.models.served.handshake_probes import blamed_fields, said
from pytest_coderobust.models.served.handshake_seeds import SeedsWord
from pytest_coderobust.models.served.handshake_terms import NEUTRAL
from pytest_coderobust.models.served.transport import PooledTransport, Reply


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


def test_llamacpp_is_recognised_with_its_claims(shake: Shake) -> None:
    shaken = shake(play(LLAMA), encode=encode)
    assert (shaken.kind, shaken.version) == ("llamacpp", "b0-unknown")
    assert (shaken.model, shaken.answered) == ("/srv/tiny.gguf", "/srv/tiny.gguf")
    claims = shaken.claims
    assert (claims.parameters, claims.vocabulary, claims.size) == (1714304, 1024, 6857216)
    assert (shaken.window, claims.quantisation) == (512, "all F32")
    assert (shaken.stop_limit, shaken.seeds, shaken.takes_ids) == (32, "honoured", True)
    assert shaken.neutral == NEUTRAL["llamacpp"]
    assert shaken.fingerprint == "b0-unknown"


def test_llamacpp_is_not_asked_for_vllms_version(shake: Shake, server: ScriptedServer) -> None:
    shake(play(LLAMA))
    gets = [asked.path for asked in server.asked if asked.method == "GET"]
    assert gets == ["/v1/models", "/props"]


def test_vllm_takes_four_stop_strings(shake: Shake, server: ScriptedServer) -> None:
    shaken = shake(play(VLLM), encode=encode)
    assert (shaken.kind, shaken.version, shaken.window) == ("vllm", "0.32.0", 512)
    assert shaken.fingerprint == "vllm-0.32.0-1f0182db"
    assert (shaken.stop_limit, shaken.word) == (4, "max_tokens")
    # The refusal repeats the whole request, so only what it says before that is believed.
    assert (shaken.neutral, shaken.refused_fields) == (NEUTRAL["vllm"], ())
    assert [len(body.get("stop", ())) for body in server.bodies("/completions")][:2] == [32, 4]


@pytest.mark.parametrize("most", [4, 3, 1, 0])
def test_stop_limit_falls_until_it_is_taken(shake: Shake, most: int) -> None:
    taken = {4: 4, 3: 1, 1: 1, 0: 0}
    assert shake(play(replace(VLLM, most_stops=most))).stop_limit == taken[most]


def test_transformers_is_recognised_by_its_answer(shake: Shake) -> None:
    shaken = shake(play(TRANSFORMERS), model="/srv/tiny", window=512, encode=encode)
    assert (shaken.kind, shaken.answered) == ("transformers", "/srv/tiny@main")
    assert (shaken.takes_ids, shaken.extra_tokens, shaken.window) == (False, 0, 512)
    assert shaken.facts["sampling defaults"].startswith("the server's own")


def test_transformers_needs_a_window(shake: Shake) -> None:
    with pytest.raises(ModelError, match=r"does not say how many tokens fit.*window = N"):
        shake(play(TRANSFORMERS), model="/srv/tiny")


def test_a_hosted_chat_has_its_own_word_for_the_limit(shake: Shake, server: ScriptedServer) -> None:
    shaken = shake(play(HOSTED), model="gpt-9", api="chat", hosted=True)
    assert (shaken.kind, shaken.word) == ("hosted", "max_completion_tokens")
    assert (shaken.answered, shaken.stop_limit, shaken.neutral) == ("gpt-9-2026-08-06", 4, {})
    assert [asked.path for asked in server.asked if asked.method == "GET"] == ["/v1/models"]


def test_word_of_the_limit_is_switched_after_a_refusal(shake: Shake) -> None:
    # Reached at an address that nothing says is hosted, a gateway for instance.
    plain = {"/v1/models": Told({"data": [{"id": "gpt-9"}]})}
    script = play(replace(HOSTED, gets=plain, answers_as=""))
    shaken = shake(script, model="gpt-9", api="chat")
    assert (shaken.kind, shaken.word) == ("unknown", "max_completion_tokens")


def test_word_of_the_limit_is_switched_when_it_is_ignored(shake: Shake) -> None:
    shaken = shake(play(replace(VLLM, limit=("max_completion_tokens",))))
    assert shaken.word == "max_completion_tokens"


@pytest.mark.parametrize("counts", [True, False])
def test_a_server_that_ignores_every_limit_is_refused(shake: Shake, counts: bool) -> None:
    def finish(asked: Asked) -> Told | None:
        body = {"model": "tiny", "choices": [{"text": "x" * 100, "finish_reason": "stop"}]}
        return None if counts or asked.method == "GET" else Told(body)

    seen = "16 came" if counts else "100 characters came"
    expected = f"ignores max_completion_tokens and max_tokens: 3 tokens were asked for, and {seen}"
    with pytest.raises(ModelError, match=expected):
        shake(play(replace(VLLM, limit=()), finish))


def test_neutral_fields_that_are_refused_are_left_out(shake: Shake) -> None:
    known = frozenset({"max_tokens", "temperature", "top_p", "stop", "seed", "top_k"})
    strict = replace(VLLM, known=known, unknown=TRANSFORMERS.unknown)
    shaken = shake(play(strict))
    assert shaken.neutral == {"top_k": 0}
    assert set(shaken.refused_fields) == set(NEUTRAL["vllm"]) - {"top_k"}
    assert "min_p" in shaken.facts["not neutral"]


def test_a_field_of_the_users_own_that_is_refused_ends_it(shake: Shake) -> None:
    strict = replace(VLLM, known=frozenset({"max_tokens"}), unknown=TRANSFORMERS.unknown)
    with pytest.raises(ModelError, match=r"refuses a small request to /completions.*'effort'"):
        shake(play(strict), fields={"effort": "high"})


def test_fields_of_the_user_replace_neutral_ones(shake: Shake, server: ScriptedServer) -> None:
    shaken = shake(play(LLAMA), fields={"top_k": 5})
    assert "top_k" not in shaken.neutral
    assert {body["top_k"] for body in server.bodies("/completions")} == {5}


@pytest.mark.parametrize("traits", [LLAMA, VLLM, HOSTED])
def test_wrong_name_is_refused_before_it_is_asked(
    shake: Shake, server: ScriptedServer, traits: Traits
) -> None:
    with pytest.raises(ModelError, match=r"does not serve 'other'.*valid: "):
        shake(play(traits), model="other", api="chat")
    assert {asked.method for asked in server.asked} == {"GET"}


def test_the_end_of_a_path_is_name_enough(shake: Shake) -> None:
    assert shake(play(LLAMA), model="tiny.gguf").model == "/srv/tiny.gguf"


def test_one_of_several_models_must_be_named(shake: Shake) -> None:
    with pytest.raises(ModelError, match=r"lists 2 models \(gpt-9, o9\): say URL#NAME"):
        shake(play(HOSTED))


def test_an_adapter_is_not_taken_for_the_only_model(shake: Shake) -> None:
    two = {"data": [{"id": "lora", "parent": "tiny"}, {"id": "tiny", "owned_by": "vllm"}]}
    script = play(replace(VLLM, gets={**VLLM.gets, "/v1/models": Told(two)}))
    assert shake(script).model == "tiny"
    assert shake(script, model="lora").claims.parent == "tiny"


def test_a_server_without_a_list_needs_a_name(shake: Shake) -> None:
    with pytest.raises(ModelError, match=r"lists no models \(500\).*URL#NAME"):
        shake(play(TRANSFORMERS))


@pytest.mark.parametrize(
    ("answered", "alias", "fits"),
    [
        ("gpt-9", False, True),
        ("gpt-9-2026-08-06", False, True),
        ("proxy/gpt-9", False, True),
        ("gpt-9-mini", False, False),
        ("gpt-8", False, False),
        ("gpt-8", True, True),
    ],
)
def test_the_model_that_answers_is_the_one_that_was_asked(
    shake: Shake, answered: str, alias: bool, fits: bool
) -> None:
    script = play(replace(HOSTED, answers_as=answered))
    if fits:
        assert shake(script, model="gpt-9", api="chat", hosted=True, alias=alias)
        return
    with pytest.raises(ModelError, match=f"answers for '{answered}' when it is asked for 'gpt-9'"):
        shake(script, model="gpt-9", api="chat", hosted=True, alias=alias)


def test_a_list_that_disagrees_with_the_answers_is_refused(shake: Shake) -> None:
    with pytest.raises(ModelError, match="answers for 'other' when it is asked for '/srv/tiny"):
        shake(play(replace(LLAMA, answers_as="other")))


def test_seeds_that_are_ignored_are_told(shake: Shake) -> None:
    shaken = shake(play(replace(LLAMA, seeds=False)))
    assert shaken.seeds == "ignored"
    assert shaken.facts["seeds"] == "ignored: samples cannot be repeated"


def test_seeds_that_are_refused_are_not_sent(shake: Shake) -> None:
    known = LLAMA.known | {*NEUTRAL["llamacpp"], "max_tokens", "temperature", "top_p", "stop"}
    script = play(replace(LLAMA, known=known, unknown=TRANSFORMERS.unknown))
    assert shake(script).seeds == "refused"


def test_equal_samples_show_no_seed(shake: Shake) -> None:
    def greedy(asked: Asked) -> Told | None:
        if asked.method == "GET" or not asked.body["temperature"]:
            return None
        return Told({"model": "tiny", "choices": [{"text": "same", "finish_reason": "stop"}]})

    assert shake(play(VLLM, greedy)).seeds == "not shown"


def test_a_sample_that_parts_near_its_end_still_repeats(shake: Shake) -> None:
    texts = iter(["abcdefgh", "abcdefXY", "abQRSTUV"])

    def drift(asked: Asked) -> Told | None:
        if asked.method == "GET" or not asked.body["temperature"]:
            return None
        choice = {"text": next(texts), "finish_reason": "length"}
        return Told({"model": "tiny", "choices": [choice]})

    assert shake(play(VLLM, drift)).seeds == "honoured"


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        (401, r"refuses the key \(401\): 'no such key'"),
        (403, r"refuses the key \(403\)"),
        (404, r"has nothing at /completions \(404\).*/v1"),
        (400, r"refuses a small request to /completions \(400\): 'no such key'"),
        (500, r"\(500\)"),
    ],
)
def test_statuses_that_end_it(shake: Shake, status: int, seen: str) -> None:
    def refuse(asked: Asked) -> Told | None:
        body = {"error": {"message": "no such\nkey"}}
        return None if asked.method == "GET" else Told(body, status)

    with pytest.raises(ModelError, match=seen):
        shake(play(LLAMA, refuse))


def test_a_key_that_the_listing_refuses_ends_it(shake: Shake) -> None:
    with pytest.raises(ModelError, match=r"refuses the key \(401\)"):
        shake(lambda _: Told({"error": "key"}, 401), model="x")


@pytest.mark.parametrize("body", [{"choices": []}, {}, b"<html>", [1], {"choices": [{}, {}]}])
def test_an_answer_that_is_no_completion_is_refused(shake: Shake, body: object) -> None:
    with pytest.raises(ModelError, match="something else than a completion"):
        shake(play(LLAMA, lambda asked: None if asked.method == "GET" else Told(body)))


def test_a_chat_that_fails_inside_names_the_other_api(shake: Shake) -> None:
    def fail(asked: Asked) -> Told | None:
        return None if asked.method == "GET" else Told(b"Internal Server Error", 500)

    with pytest.raises(ModelError, match='chat template, api = "completions"'):
        shake(play(VLLM, fail), api="chat")


def test_a_chat_under_another_template_has_another_key(shake: Shake) -> None:
    def parts(template: str, api: str) -> str:
        props = LLAMA.gets["/props"]
        body = {**cast("dict[str, object]", props.body), "chat_template": template}
        gets = {**LLAMA.gets, "/props": replace(props, body=body)}
        return json.dumps(shake(play(replace(LLAMA, gets=gets)), api=api).key_parts)

    first = parts("{{ messages }}", "chat")
    assert first == parts("{{ messages }}", "chat")
    assert len({first, parts("Be brief. {{ messages }}", "chat"), parts("", "chat")}) == 3
    # It is put around messages alone.
    assert parts("{{ messages }}", "completions") == parts("", "completions")


def test_key_parts_tell_servers_apart_and_repeat(shake: Shake) -> None:
    parts = [
        shake(play(traits), model=model, window=512).key_parts
        for traits, model in [
            (LLAMA, ""),
            (VLLM, ""),
            (TRANSFORMERS, "/srv/tiny"),
            (replace(LLAMA, most_stops=4), ""),
            (replace(LLAMA, limit=("max_completion_tokens",)), ""),
        ]
    ]
    assert len({repr(each) for each in parts}) == len(parts)
    assert shake(play(LLAMA)).key_parts == parts[0]
    assert shake(play(replace(LLAMA, fingerprint="other"))).key_parts == parts[0]


@pytest.mark.parametrize("other", ["honoured", "ignored", "not shown"])
def test_the_key_holds_whether_seeds_are_sent_and_no_finding_of_chance(
    shake: Shake, other: SeedsWord
) -> None:
    ignoring = shake(play(replace(LLAMA, seeds=False)))
    assert replace(ignoring, seeds=other).key_parts == ignoring.key_parts
    assert replace(ignoring, seeds="refused").key_parts != ignoring.key_parts


def test_facts_hold_no_path_of_the_servers_machine(shake: Shake) -> None:
    assert "/srv" not in repr(shake(play(LLAMA)).facts)


SENT = ["max_tokens", "stop", "top_k", "top_p", "seed"]


@given(st.text(max_size=400), st.integers(400, 422))
def test_words_of_a_server_become_one_short_printable_line(text: str, status: int) -> None:
    shown = said(Reply(status, {}, text, {"error": {"message": text}}, 0.0))
    assert "\n" not in shown
    assert shown.isprintable()
    assert len(shown) <= 2 * 300 + 2


@given(st.sets(st.sampled_from(SENT), min_size=1))
def test_blamed_fields_are_the_ones_that_are_named(named: set[str]) -> None:
    words = f"fields {', '.join(sorted(named))} are unknown; {{'input': {SENT}}}"
    reply = Reply(400, {}, words, {"error": {"message": words}}, 0.0)
    assert set(blamed_fields(reply, dict.fromkeys(SENT))) == named
    rows = [{"loc": ["body", name], "msg": "bad stop seed"} for name in sorted(named)]
    exact = Reply(422, {}, "", {"detail": rows}, 0.0)
    assert set(blamed_fields(exact, dict.fromkeys(SENT))) == named


def test_param_wins_over_the_words() -> None:
    error = {"message": "'max_tokens' is unknown, use 'max_completion_tokens'", "param": "stop"}
    reply = Reply(400, {}, "", {"error": error}, 0.0)
    assert blamed_fields(reply, dict.fromkeys(SENT)) == ("stop",)
