"""A real language model in a chat: SmolLM2-135M-Instruct behind llama.cpp's server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
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

TASKS = 205
SUITE = """
[suite]
tasks = "quickstart"
perturbations = ["C1"]
gates = ["rd[C1] <= 1.0"]
[sampling]
max_new_tokens = 64
stop = ["\\n```"]
"""
"""The whole suite, with answers that end behind their code: what it says afterwards is not judged."""


@pytest.fixture(scope="module")
def model() -> Path:
    pytest.importorskip("xllamacpp", reason="xllamacpp, llama.cpp's server, is not installed")
    pytest.importorskip("gguf", reason="the package gguf is not installed")
    return find_smollm2()


@pytest.fixture(scope="module")
def servers(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RealServer]]:
    """Two servers of the model, with one thread and one slot each: two processors are at work."""
    folder = tmp_path_factory.mktemp("smol")
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                serve_gguf(model, folder / f"{place}.txt", slots=1, window=1024, alias="smollm2")
            )
            for place in range(2)
        ]


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
    project: Project, servers: list[RealServer], model: Path
) -> None:
    """Runs the bundled suite under C1 through the chat template; the second run asks no row.

    A request takes about 1.8 s of processor time, 0.9 of it to read the prompt: 410 of them and the
    canaries take about eight minutes on two processors that have nothing else to do.
    """
    (project.path / "quick.toml").write_text(SUITE)
    # One slot without a cache of prompts: no answer hangs on what was asked before it.
    entry = f"""
[tool.coderobust.models.smol]
server = {[each.url for each in servers]}
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
    assert document["complete"]
    assert len(document["items"]) == 2 * TASKS
    usage = document["usage"]
    assert usage["requests"] - usage["watching"]["requests"] == 2 * TASKS
    # It writes whole functions in code blocks, of which some are right.
    assert sum(item["c"] for item in document["items"]) >= 1
    again = project.run("quick.toml", "--model=smol", "--coderobust-json=again.json")
    assert again.ret == 0
    again_document: Any = project.json("again.json")
    assert again_document["items"] == document["items"]
    more = again_document["usage"]
    assert more["requests"] - more["watching"]["requests"] == 2 * TASKS
