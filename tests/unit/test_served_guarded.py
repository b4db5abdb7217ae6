"""A guarded server, met through its handshake: identity, signs, adapters, claims, commands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.hunt_model import Reader, write_suite
from support.models_checkpoints import save_random
from support.scripted_server import Asked, ScriptedServer, Told, serve
from support.served_checkpoint import ServedCheckpoint

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.config.settings import Settings
from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import IdentityDemand, find_guarded
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.oracle import Oracle
from pytest_coderobust.models.served.guarded import GuardedServer
from pytest_coderobust.models.served.opening import open_entry
from pytest_coderobust.records import CANARY, IDENTITY, ModelIdentity
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.session import Session, open_session


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random(tmp_path_factory.mktemp("served") / "model", window=512)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def opened(
    server: ScriptedServer, ledger: Ledger, tier: Any = "observed", **entry: Any
) -> GuardedServer:
    found = open_entry("prod", ServerEntry((server.url,), **entry), ModelOptions(patience=1.0))
    found.remember(lambda: ledger, IdentityDemand(tier))
    return found


def test_nobody_is_asked_before_the_identity_is_read(folder: Path, ledger: Ledger) -> None:
    with serve(ServedCheckpoint(folder, window=512)) as server:
        model = opened(server, ledger)
        assert find_guarded(model) is model
        assert server.asked == []
        assert model.identity.served_tier == "observed"
        asked = len(server.asked)
        assert model.identity.name == "prod"
        assert model.look().same
        assert all(body["temperature"] == 0.0 for body in server.bodies("/completions")[asked:])


def test_stated_weights_are_verified_through_token_ids(folder: Path, ledger: Ledger) -> None:
    with serve(ServedCheckpoint(folder, window=512)) as server:
        model = opened(server, ledger, "verified", weights=str(folder), tokenizer=str(folder))
        identity = model.identity
        sent = server.bodies("/completions")[-1]["prompt"]
        tokenized = [asked for asked in server.asked if asked.path.endswith("/tokenize")]
    assert identity.served_tier == "verified"
    assert isinstance(sent[0], int)
    assert len(tokenized) == 5
    assert "identity" in identity.facts


def test_another_window_makes_other_answers(folder: Path, ledger: Ledger) -> None:
    with serve(ServedCheckpoint(folder, window=512)) as server:
        found = [
            opened(server, ledger, weights=str(folder), window=window).identity.digest
            for window in (300, 400, 300)
        ]
    assert found[0] == found[2] != found[1]


def test_another_tokenizer_at_the_server_is_refused(
    folder: Path, tmp_path: Path, ledger: Ledger
) -> None:
    other = save_random(tmp_path / "other", kind="sentence-piece", window=512)
    script = ServedCheckpoint(folder, window=512)

    def mixed(asked: Asked) -> Told:
        """A server whose tokenizer is another's, and which counts as told."""
        told = script(asked)
        if asked.path.endswith("/tokenize"):
            return Told({"tokens": [1, 2, 3], "count": 3})
        return told

    with serve(mixed) as server:
        model = opened(server, ledger, weights=str(folder), tokenizer=str(folder))
        with pytest.raises(ModelError, match="the server has another tokenizer: of 'def median"):
            _ = model.identity
    with serve(ServedCheckpoint(folder, window=512, root=str(folder))) as server:
        model = opened(server, ledger, weights=str(other), tokenizer=str(folder))
        with pytest.raises(ModelError, match=r"contradicts weights = .*: it says that it loaded"):
            _ = model.identity


def test_what_was_refused_once_is_refused_again_unasked(folder: Path, ledger: Ledger) -> None:
    with serve(ServedCheckpoint(folder, window=512)) as server:
        model = opened(server, ledger, "stated")
        with pytest.raises(UsageError, match="no weights are stated for it"):
            _ = model.identity
        asked = len(server.asked)
        with pytest.raises(UsageError, match="no weights are stated for it"):
            _ = model.identity
        assert len(server.asked) == asked


def listed(script: ServedCheckpoint, **changed: object) -> Any:
    """The script, with a changed entry in its list of models."""

    def answer(asked: Asked) -> Told:
        told = script(asked)
        if asked.path.endswith("/models"):
            told = replace(told, body={"data": [{**told.body["data"][0], **changed}]})
        return told

    return answer


def test_a_lora_adapter_must_be_named(folder: Path, tmp_path: Path, ledger: Ledger) -> None:
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    with serve(listed(ServedCheckpoint(folder, window=512), parent="base")) as server:
        with pytest.raises(ModelError, match=r"is a LoRA adapter of 'base'.*adapter = 'FOLDER'"):
            _ = opened(server, ledger, id="served", weights=str(folder)).identity
        plain = opened(server, ledger, id="served", weights=str(folder), adapter="tuned").identity
        own = str(tmp_path / "adapter")
        named = opened(server, ledger, id="served", weights=str(folder), adapter=own)
        assert named.identity.served_tier == "stated"  # the folder alone is not what answers
        assert named.identity.digest != plain.digest


def test_claims_that_contradict_the_weights_are_refused(folder: Path, ledger: Ledger) -> None:
    script = ServedCheckpoint(folder, window=512)
    for meta, told in (
        ({"n_params": 7_000_000_000}, "says that its model has 7000000000 parameters"),
        ({"n_vocab": 32000}, "says that it knows 32000 tokens"),
    ):
        with serve(listed(script, meta=meta)) as server:
            model = opened(server, ledger, weights=str(folder))
            with pytest.raises(ModelError, match=told):
                _ = model.identity


def test_own_canaries_of_a_file_are_asked(folder: Path, tmp_path: Path, ledger: Ledger) -> None:
    file = tmp_path / "canaries.txt"
    file.write_text("def edited(fact):\n---\nThe capital of France is\n---\n")
    with serve(ServedCheckpoint(folder, window=512)) as server:
        model = opened(server, ledger, canary=file)
        assert "7 prompts and the suite's first" in model.identity.facts["canary"]
        asked = [body["prompt"] for body in server.bodies("/completions")]
    assert asked.count("The capital of France is") == 3


def test_a_hosted_alias_that_moves_is_found(folder: Path, ledger: Ledger) -> None:
    def hosted(name: str) -> Any:
        script = ServedCheckpoint(folder, name=name, window=512, fingerprint="fp_1")
        return listed(script, id="alias", owned_by="openai")

    with serve(hosted("alias-2026-08")) as server:
        with pytest.raises(ModelError, match="is an alias that moves, today to 'alias-2026-08'"):
            _ = opened(server, ledger, id="alias").identity
        model = opened(server, ledger, id="alias", alias=True)
        first = model.identity.digest
        server.script = hosted("alias-2026-12")
        with pytest.raises(ModelError, match="answered as 'alias-2026-08', and now as"):
            model.look()
        assert opened(server, ledger, id="alias", alias=True).identity.digest != first


def test_a_session_tells_a_served_model_its_ledger(folder: Path, tmp_path: Path) -> None:
    with serve(ServedCheckpoint(folder, window=512)) as server:
        choices = Choices(model=server.url, ledger=tmp_path / "l", demand_identity="stated")
        with open_session(choices, tmp_path) as session:
            assert server.asked == []
            with pytest.raises(
                UsageError, match=r"--coderobust-demand-identity=stated: model 'http"
            ):
                _ = session.backend.identity


@pytest.mark.parametrize("edit", ["creme", "rome:layer=1"])
def test_a_served_model_cannot_be_edited(tmp_path: Path, edit: str) -> None:
    choices = Choices(model="http://127.0.0.1:9/v1", edit=(edit,))
    with pytest.raises(
        UsageError, match=f"--edit {edit}: model 'http.*is served.*--model ./FOLDER"
    ):
        open_session(choices, tmp_path)


def test_a_run_is_described_by_what_is_known_latest(tmp_path: Path) -> None:
    write_suite(tmp_path)
    for tier in ("stated", "verified", "stated"):
        backend = Reader(lambda _: 0.0)
        facts = {"model": "m", IDENTITY: f"{tier}: weights 0", CANARY: tier}
        backend.identity = ModelIdentity("m", "the same digest", facts)
        choices = Choices(ledger=tmp_path / "l", sandbox_workers=1)
        with Session(choices, Settings(), tmp_path, backend=backend) as session:
            run = session.suite("toy.toml").measurement.run
            described = session.ledger.description(run)
        assert described is not None
        assert described[0].facts == facts


def test_any_other_backend_is_not_guarded() -> None:
    assert find_guarded(Oracle()) is None
