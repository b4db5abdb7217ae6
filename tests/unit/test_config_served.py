"""Entries of served models in pyproject.toml: every key, and every mistake in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.config.settings import read_settings
from pytest_coderobust.errors import ConfigError
from pytest_coderobust.models.registry import check_model_name, has_weights, is_served, open_backend
from pytest_coderobust.records import Tariff
from pytest_coderobust.session.models import list_known_models

SERVER = 'server = "http://10.0.0.5:8000/v1"\n'
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def read(root: Path, text: str) -> ServerEntry:
    (root / "pyproject.toml").write_text(f"[tool.coderobust.models.prod]\n{text}")
    found = read_settings(root).models["prod"].server
    assert found is not None
    return found


def test_every_key_is_read(tmp_path: Path) -> None:
    (tmp_path / "rc7").mkdir()
    (tmp_path / "ca.pem").touch()
    (tmp_path / "canary.txt").touch()
    found = read(
        tmp_path,
        """
server = ["http://10.0.0.5:8000/v1", "http://10.0.0.6:8000/v1"]
id = "qwen-coder"
api = "chat"
weights = "rc7"
window = 8192
api_key_env = "PROD_KEY"
price = { input = 0.15, cached = 0.075, output = 0.60 }
sampling_fields = { top_k = 0, logit_bias = { "5" = 1 } }
headers = { api-key = "env:NAME" }
query = { api-version = "2024-10-21" }
ca_bundle = "ca.pem"
alias = true
canary = "canary.txt"
reasoning = "low"
adapter = "lora-1"
chat = true
template = "# {language}\\n{prompt}"
""",
    )
    assert found == ServerEntry(
        servers=("http://10.0.0.5:8000/v1", "http://10.0.0.6:8000/v1"),
        id="qwen-coder",
        api="chat",
        weights=str(tmp_path / "rc7"),
        tokenizer=str(tmp_path / "rc7"),
        window=8192,
        api_key_env="PROD_KEY",
        price=Tariff(0.15, 0.60, 0.075),
        sampling_fields={"top_k": 0, "logit_bias": {"5": 1}},
        headers={"api-key": "env:NAME"},
        query={"api-version": "2024-10-21"},
        ca_bundle=tmp_path / "ca.pem",
        alias=True,
        canary=tmp_path / "canary.txt",
        reasoning="low",
        adapter="lora-1",
        chat=True,
        template="# {language}\n{prompt}",
    )


def test_a_server_is_enough(tmp_path: Path) -> None:
    assert read(tmp_path, SERVER) == ServerEntry(("http://10.0.0.5:8000/v1",))


@pytest.mark.parametrize("weights", ["sha256:" + "0a" * 32, f"hf:org/name@{COMMIT}"])
def test_weights_may_be_named_by_their_content(tmp_path: Path, weights: str) -> None:
    found = read(tmp_path, f'{SERVER}weights = "{weights}"')
    assert (found.weights, found.tokenizer) == (weights, "")


def test_weights_may_be_a_file_of_llama_cpp(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").touch()
    found = read(tmp_path, f'{SERVER}weights = "m.gguf"')
    assert (found.weights, found.tokenizer) == (str(tmp_path / "m.gguf"), "")


def test_a_price_of_cached_input_may_be_left_out(tmp_path: Path) -> None:
    assert read(tmp_path, f"{SERVER}price = {{ input = 1, output = 2 }}").price == Tariff(1, 2)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("server = []", "server = []: must be an address, such as 'http://127.0.0.1:8000/v1'"),
        ('server = ""', "must be an address"),
        ("server = 7", "must be a list of strings"),
        ('server = ["http://a/v1", "http://a/v1"]', "http://a/v1 is listed twice"),
        (f'{SERVER}api = "responses"', "not a valid choice"),
        (f'{SERVER}weights = "gone"', "neither a folder nor a .gguf file"),
        (f'{SERVER}weights = "hf:org/name"', "a branch of the hub moves; name a commit"),
        (f'{SERVER}weights = "hf:org/name@main"', "a branch of the hub moves; name a commit"),
        (f'{SERVER}weights = "sha256:12"', "nor 'sha256:' with 64 digits"),
        (f'{SERVER}tokenizer = "gone"', "tokenizer = 'gone': no such folder"),
        (f"{SERVER}window = 0", "window = 0: must be at least 1"),
        (f"{SERVER}price = {{ input = 1 }}", "output: missing; a price is given for a million"),
        (f"{SERVER}price = {{ input = -1, output = 1 }}", "input = -1: must lie between 0"),
        (f"{SERVER}price = {{ input = 1, output = 1, currency = 2 }}", "unknown key 'currency'"),
        (f"{SERVER}sampling_fields = {{ n = 5 }}", "n = 5: the suite's [sampling] or the client"),
        (f"{SERVER}sampling_fields = {{ temperature = 1 }}", "the suite's [sampling]"),
        (f"{SERVER}sampling_fields = {{ x = 2026-01-01 }}", "JSON has no such value"),
        (f"{SERVER}sampling_fields = {{ x = [1.0, nan] }}", "JSON has no such value"),
        (f"{SERVER}headers = {{ x = 5 }}", "x = 5: must be a string of one line"),
        (f'{SERVER}headers = {{ x = "a\\nb" }}', "must be a string of one line"),
        (f'{SERVER}headers = {{ Host = "evil" }}', "no header of this name can be set"),
        (f'{SERVER}headers = {{ "a b" = "c" }}', "no header of this name can be set"),
        (f'{SERVER}ca_bundle = "gone"', "ca_bundle = 'gone': no such file"),
        (f'{SERVER}template = "no place"', "has no {prompt} in it"),
        (f'{SERVER}dtype = "float32"', "unknown key 'dtype'"),
        (f'{SERVER}api_key = "sk-1"', "unknown key 'api_key'; did you mean 'api_key_env'?"),
        (f"{SERVER}windows = 5", "unknown key 'windows'; did you mean 'window'?"),
        (f"{SERVER}pirce = 5", "api, api_key_env, "),
        ("chat = true", "id: missing; it names a hub id or a local folder (or give `server`)"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert str(tmp_path / "pyproject.toml") in str(caught.value)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_of_ones_own_opens_its_server(tmp_path: Path) -> None:
    read(tmp_path, SERVER + 'id = "toy"\nchat = true')
    known = list_known_models(read_settings(tmp_path))
    check_model_name("prod", known)
    assert is_served("prod", known)
    assert not has_weights("prod", known)
    model = open_backend("prod", known=known)
    assert model.server.addresses[0].base == "http://10.0.0.5:8000/v1"  # type: ignore[attr-defined]
    assert (model.batch_size, model.keyed_by) == (1, "prompt")


@pytest.mark.parametrize(
    "name", ["http://127.0.0.1:8000/v1", "https://host/v1#m", "openai:gpt-5-mini"]
)
def test_an_address_is_a_name(name: str) -> None:
    check_model_name(name)
    assert is_served(name)
    assert not has_weights(name)


@pytest.mark.parametrize("name", ["tiny", "oracle", "org/name", "http/name", "openai/name"])
def test_other_names_are_none_of_a_server(name: str) -> None:
    assert not is_served(name)
