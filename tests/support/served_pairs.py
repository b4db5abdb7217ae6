"""The bundled model in process and behind a real server, asked the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.models.served.opening import open_entry
from pytest_coderobust.records import Completion, Sampling
from pytest_coderobust.tiny import checkpoint_path
from support.models_checkpoints import row
from support.real_servers import RealServer

STOPS = ("\ndef ", "\nclass ", "\nprint", " % ", "\n#")
SHORT = Sampling(max_new_tokens=20, stop=STOPS)
"""Answers of `tiny` to the prompts below end in each of the three ways.

None has its end token as the twentieth: `transformers serve` says "length" of such.
"""


def list_prompts(number: int = 40) -> list[str]:
    """The first prompts of the bundled suite."""
    tasks = checkpoint_path().parent / "quickstart.jsonl"
    lines = tasks.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["prompt"] for line in lines][:number]


def ask_here(prompts: Sequence[str], sampling: Sampling) -> list[Completion]:
    """Answers of the bundled model in this process."""
    backend = open_backend("tiny", options=ModelOptions(threads=1))
    try:
        return list(backend.generate([row(prompt) for prompt in prompts], sampling))
    finally:
        backend.close()


def ask_served(
    server: RealServer,
    prompts: Sequence[str],
    sampling: Sampling,
    concurrency: int,
    **entry: object,
) -> list[Completion]:
    """Answers of a served model, some rows at once."""
    options = ModelOptions(concurrency=concurrency)
    named = ServerEntry((server.url,), server.model, **entry)  # type: ignore[arg-type]
    backend = open_entry("prod", named, options, typed=True)
    try:
        return list(backend.generate([row(prompt) for prompt in prompts], sampling))
    finally:
        backend.close()


def folder_entry(folder: Path) -> dict[str, object]:
    """Keys of an entry that states the folder a server has loaded."""
    return {"weights": str(folder), "tokenizer": str(folder)}
