"""A real language model in a chat: SmolLM2-135M-Instruct behind llama.cpp's server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Project
from support.real_servers import RealServer, find_free_port, serve_gguf, wait_until_healthy
from support.smollm2 import find_smollm2

from pytest_coderobust.models.served.handshake import HandshakeWish, shake_hands
from pytest_coderobust.models.served.patience import Patience, PatientTransport
from pytest_coderobust.models.served.transport import PooledTransport

pytestmark = pytest.mark.slow

TASKS = 3
SUITE = f"""
[suite]
tasks = "quickstart"
perturbations = ["C1"]
limit = {TASKS}
max_unusable = 1.0
gates = ["rd[C1] <= 1.0"]
[sampling]
max_new_tokens = 192
"""


@pytest.fixture(scope="module")
def model() -> Path:
    pytest.importorskip("xllamacpp", reason="xllamacpp, llama.cpp's server, is not installed")
    pytest.importorskip("gguf", reason="the package gguf is not installed")
    return find_smollm2()


@pytest.fixture(scope="module")
def server(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    log = tmp_path_factory.mktemp("smol") / "log.txt"
    with serve_gguf(model, log, slots=1, window=1024, alias="smollm2") as running:
        yield running


def test_a_server_that_still_loads_is_waited_for(model: Path, tmp_path: Path) -> None:
    port = find_free_port()
    log = tmp_path / "log.txt"
    with serve_gguf(model, log, slots=1, window=512, port=port, alias="s", wait=False) as server:
        statuses = wait_until_healthy(server.url.removesuffix("/v1"), server.process, log)
    assert set(statuses) <= {503}
    with serve_gguf(model, log, slots=1, window=512, port=port, alias="s", wait=False) as server:
        transport = PooledTransport(server.url, {})
        patient = PatientTransport(transport, "here", "prod", Patience())
        shaken = shake_hands(patient, HandshakeWish("prod", api="chat"))
        transport.close()
    assert (shaken.kind, shaken.model, shaken.seeds) == ("llamacpp", "s", "honoured")
    assert (shaken.claims.quantisation, shaken.claims.vocabulary) == ("Q4_1", 49152)


def test_a_chat_model_is_measured_end_to_end(
    project: Project, server: RealServer, model: Path
) -> None:
    """Runs the bundled suite under C1 through the chat template; the second run asks nothing."""
    (project.path / "quick.toml").write_text(SUITE)
    # One slot without a cache of prompts: no answer hangs on what was asked before it.
    entry = f"""
[tool.coderobust.models.smol]
server = "{server.url}"
api = "chat"
weights = "{model}"
sampling_fields = {{ cache_prompt = false }}
"""
    (project.path / "pyproject.toml").write_text(entry)
    first = project.run("quick.toml", "--model=smol", "--coderobust-json=out.json")
    assert first.ret == 0, first.stdout.str() + first.stderr.str()
    document: Any = project.json()
    facts = document["facts"]
    assert (facts["prompt"], facts["window"]) == ("chat", "1024")
    assert facts["server"].startswith("llamacpp")
    assert facts["identity"].startswith("stated")
    assert {item["task"] for item in document["items"]} == {f"quickstart/{i}" for i in range(TASKS)}
    # It writes whole functions in code blocks, of which some are right.
    assert sum(item["c"] for item in document["items"]) >= 1
    again = project.run("quick.toml", "--model=smol", "--coderobust-json=again.json")
    assert again.ret == 0
    assert project.json("again.json")["items"] == document["items"]
