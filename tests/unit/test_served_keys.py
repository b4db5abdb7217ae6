"""Keys of servers: from the environment alone, to allowed hosts alone, and shown nowhere."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Mapping
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_server import Told, serve
from support.served_models import completed, open_toy

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.served.address import parse_address
from pytest_coderobust.models.served.opening import make_server, read_name
from pytest_coderobust.models.served.permissions import KeyWish, read_credentials
from pytest_coderobust.models.served.secrets import Credentials, Secret

KEY = "sk-sentinel-0123456789abcdef"
OPENAI = "https://api.openai.com/v1"
GATE = "https://gate.example.org/v1"
LOCAL = "http://127.0.0.1:8000/v1"
PLAIN = "http://10.0.0.5:8000/v1"


def read(
    url: str,
    environment: Mapping[str, str],
    *,
    entry: ServerEntry | None = None,
    typed: str = "",
    typed_address: bool = False,
) -> Credentials:
    entry = entry or ServerEntry((url,))
    wish = KeyWish("model 'm': ", entry, [parse_address(url, "")], typed, typed_address)
    return read_credentials(wish, environment)


def keyed(url: str, variable: str = "PROD_KEY") -> ServerEntry:
    return ServerEntry((url,), api_key_env=variable)


def sent(credentials: Credentials) -> str:
    return str.__str__(credentials.make_headers().get("Authorization", ""))


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        (GATE, "PROD_KEY:gate.example.org"),
        (GATE, "PROD_KEY:gate.example.org:443"),
        (GATE, "A:b, PROD_KEY:GATE.example.org ,"),
        (LOCAL, "PROD_KEY:127.0.0.1"),
        (LOCAL, "PROD_KEY:127.0.0.1:8000"),
        ("http://[::1]:8000/v1", "PROD_KEY:[::1]"),
    ],
)
def test_an_entry_gets_its_key_for_an_allowed_host(url: str, allowed: str) -> None:
    found = read(url, {"PROD_KEY": KEY, "CODEROBUST_KEYS": allowed}, entry=keyed(url))
    assert sent(found) == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "allowed",
    ["", "PROD_KEY:example.org", "PROD_KEY:other.example.org", "OTHER:gate.example.org",
     "PROD_KEY:gate.example.org:8443", "PROD_KEY:gate.example.org.evil.org"],
)  # fmt: skip
def test_an_entry_of_a_file_gets_no_key_that_the_environment_does_not_allow(allowed: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(GATE, {"PROD_KEY": KEY, "CODEROBUST_KEYS": allowed}, entry=keyed(GATE))
    assert str(caught.value) == (
        "model 'm': the value of PROD_KEY may not go to gate.example.org; "
        "CODEROBUST_KEYS=PROD_KEY:gate.example.org allows it"
    )


def test_every_server_of_an_entry_must_be_allowed() -> None:
    entry = ServerEntry((GATE, "https://evil.example.org/v1"), api_key_env="PROD_KEY")
    environment = {"PROD_KEY": KEY, "CODEROBUST_KEYS": "PROD_KEY:gate.example.org"}
    with pytest.raises(UsageError, match=r"may not go to evil\.example\.org"):
        make_server("m", entry, ModelOptions(), environment)


def test_what_was_typed_together_needs_no_further_word() -> None:
    found = read(GATE, {"MINE": KEY}, typed="MINE", typed_address=True)
    assert sent(found) == f"Bearer {KEY}"
    with pytest.raises(UsageError, match="may not go to"):
        read(GATE, {"MINE": KEY}, typed="MINE", typed_address=False)


def test_a_typed_variable_does_not_allow_those_of_an_entry() -> None:
    entry = ServerEntry((GATE,), headers={"x-key": "env:OTHER"})
    with pytest.raises(UsageError, match="the value of OTHER may not go to"):
        read(GATE, {"MINE": KEY, "OTHER": KEY}, entry=entry, typed="MINE", typed_address=True)


def test_openais_key_goes_to_openai_alone_unless_told() -> None:
    assert sent(read(OPENAI, {"OPENAI_API_KEY": KEY})) == f"Bearer {KEY}"
    for url in (
        GATE,
        LOCAL,
        "https://api.openai.com.evil.org/v1",
        "https://api.openai.com:8443/v1",
    ):
        assert sent(read(url, {"OPENAI_API_KEY": KEY})) == ""
    with pytest.raises(UsageError, match="may not go to"):
        read(GATE, {"OPENAI_API_KEY": KEY}, entry=keyed(GATE, "OPENAI_API_KEY"))


def test_openais_name_follows_the_base_in_the_environment_without_the_key() -> None:
    assert read_name("openai:m", {}).servers == (OPENAI,)
    moved = {"OPENAI_BASE_URL": GATE, "OPENAI_API_KEY": KEY}
    entry = read_name("openai:m", moved)
    assert (entry.servers, entry.id) == ((GATE,), "m")
    server = make_server("openai:m", entry, ModelOptions(), moved, typed=True)
    assert server.credentials.secrets == ()
    with pytest.raises(UsageError, match="a name belongs behind it"):
        read_name("openai:", {})


@pytest.mark.parametrize("url", [PLAIN, "http://api.openai.com/v1"])
def test_a_key_never_goes_over_plain_http_to_another_machine(url: str) -> None:
    host = parse_address(url, "").host
    allowed = {"PROD_KEY": KEY, "CODEROBUST_KEYS": f"PROD_KEY:{host}"}
    for typed in ("", "PROD_KEY"):
        with pytest.raises(UsageError, match="over plain http"):
            read(url, allowed, entry=keyed(url), typed=typed, typed_address=bool(typed))


def test_headers_and_parameters_may_be_secret_or_plain() -> None:
    entry = ServerEntry(
        (GATE,), headers={"api-key": "env:AZURE", "x-team": "coders"}, query={"api-version": "1 2"}
    )
    environment = {"AZURE": KEY, "CODEROBUST_KEYS": "AZURE:gate.example.org"}
    found = read(GATE, environment, entry=entry)
    headers = found.make_headers()
    assert str.__str__(headers["api-key"]) == KEY
    assert headers["x-team"] == "coders"
    assert found.make_query() == "?api-version=1+2"
    assert KEY not in repr(headers)


def test_a_header_reaches_the_server() -> None:
    with serve(lambda _: completed("x")) as server:
        entry = ServerEntry(
            (server.url,), "toy", headers={"api-key": "env:AZURE"}, query={"k": "env:AZURE"}
        )
        environment = {"AZURE": KEY, "CODEROBUST_KEYS": "AZURE:127.0.0.1"}
        backend = open_toy(entry=entry, environment=environment)
        backend.lanes[0].transport.get("/models")
    (asked,) = server.asked
    assert asked.headers["api-key"] == KEY
    assert asked.path == f"/v1/models?k={KEY}"


@pytest.mark.parametrize(
    ("value", "told"),
    [("", "is not set"), ("  ", "is not set"), ("a\nb", "characters that no header can have"),
     ("schlüssel", "characters that no header can have")],
)  # fmt: skip
def test_a_value_that_cannot_be_sent_is_refused_and_not_shown(value: str, told: str) -> None:
    environment = {"PROD_KEY": value, "CODEROBUST_KEYS": "PROD_KEY:gate.example.org"}
    with pytest.raises(UsageError, match=told) as caught:
        read(GATE, environment, entry=keyed(GATE))
    assert "schl" not in str(caught.value)


@pytest.mark.parametrize("text", [KEY, "PROD_KEY", "PROD_KEY:", ":host", "V:https://host"])
def test_a_list_of_permissions_that_is_wrong_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(UsageError, match="part 1 is not of the form VARIABLE:HOST") as caught:
        read(GATE, {"PROD_KEY": KEY, "CODEROBUST_KEYS": text}, entry=keyed(GATE))
    assert KEY not in str(caught.value)


def test_a_secret_is_in_no_repr_pickle_or_attribute() -> None:
    secret = Secret("PROD_KEY", KEY, "Bearer ")
    credentials = Credentials({"Authorization": secret})
    assert secret.reveal() == KEY
    for holder in (secret, credentials, credentials.make_headers(), [secret]):
        assert KEY not in repr(holder)
        assert KEY not in f"{holder}"
    assert not hasattr(secret, "__dict__")
    assert KEY not in str([getattr(secret, name) for name in Secret.__slots__])
    for write in (pickle.dumps, copy.deepcopy, copy.copy):
        with pytest.raises(TypeError, match="a secret is not written anywhere"):
            write(secret)
    with pytest.raises(TypeError):
        dataclasses.asdict(credentials)
    with pytest.raises(TypeError):
        json.dumps({"key": secret})


@given(
    st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=16), st.data()
)
def test_no_spelling_of_a_secret_is_left_in_a_message(value: str, data: st.DataObject) -> None:
    credentials = Credentials({"Authorization": Secret("K", value, "Bearer ")})
    spelt = data.draw(
        st.sampled_from(
            [value, quote(value), quote(value, safe=""), json.dumps(value), repr(value)]
        )
    )
    around = data.draw(st.text("xyz ", max_size=5))
    for redact in (credentials.redact, credentials.redact_answer):
        assert value not in redact(f"{around}{spelt}{around}")


def test_a_local_servers_word_for_no_key_stays_in_answers() -> None:
    credentials = Credentials({"Authorization": Secret("K", "EMPTY", "Bearer ")})
    assert credentials.redact_answer("if x is EMPTY: return") == "if x is EMPTY: return"
    assert credentials.redact("wrong key EMPTY") == "wrong key ***"


def test_an_answer_that_repeats_the_key_is_cleaned() -> None:
    environment = {"PROD_KEY": KEY, "CODEROBUST_KEYS": "PROD_KEY:127.0.0.1"}
    with serve(lambda _: completed(f"print('{KEY}')")) as server:
        entry = ServerEntry((server.url,), "toy", api_key_env="PROD_KEY")
        backend = open_toy(entry=entry, environment=environment)
        reply = backend.lanes[0].transport.post("/completions", {})
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in reply.text
    assert reply.body["choices"][0]["text"] == "print('***')"


def test_an_error_that_repeats_a_short_key_is_cleaned_too() -> None:
    environment = {"PROD_KEY": "hunter2", "CODEROBUST_KEYS": "PROD_KEY:127.0.0.1"}
    with serve(lambda _: Told({"error": "wrong key hunter2"}, 401)) as server:
        entry = ServerEntry((server.url,), "toy", api_key_env="PROD_KEY")
        reply = open_toy(entry=entry, environment=environment).lanes[0].transport.get("/models")
    assert reply.body == {"error": "wrong key ***"}


def test_two_keys_for_one_header_are_refused() -> None:
    entry = ServerEntry((LOCAL,), api_key_env="K", headers={"Authorization": "Token x"})
    with pytest.raises(UsageError, match="both a key and a header"):
        read(LOCAL, {"K": KEY, "CODEROBUST_KEYS": "K:127.0.0.1"}, entry=entry)
