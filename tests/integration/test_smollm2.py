"""A real language model in a chat: SmolLM2-135M-Instruct behind llama.cpp's server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Project
from support.real_servers import RealServer, serve_gguf
from support.smollm2 import find_smollm2

pytestmark = pytest.mark.slow

TASKS = 5
SUITE = f"""
[suite]
tasks = "quickstart"
perturbations = ["C1"]
limit = {TASKS}
max_unusable = 1.0
gates = ["rd[C1] <= 1.0"]
[sampling]
max_new_tokens = 128
"""


@pytest.fixture(scope="module")
def model() -> Path:
    pytest.importorskip("xllamacpp", reason="xllamacpp, llama.cpp's server, is not installed")
    pytest.importorskip("gguf", reason="the package gguf is not installed")
    return find_smollm2()


@pytest.fixture(scope="module")
def server(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    log = tmp_path_factory.mktemp("smol") / "log.txt"
    with serve_gguf(model, log, slots=2, window=1024, alias="smollm2") as running:
        yield running


def test_a_chat_model_is_measured_end_to_end(
    project: Project, server: RealServer, model: Path
) -> None:
    """Runs the bundled suite under C1 through the chat template; the second run asks nothing."""
    (project.path / "quick.toml").write_text(SUITE)
    (project.path / "pyproject.toml").write_text(
        f'[tool.coderobust.models.smol]\nserver = "{server.url}"\napi = "chat"\nweights = "{model}"\n'
    )
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
