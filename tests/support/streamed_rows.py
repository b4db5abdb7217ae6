"""Rows and variants for streams without a server."""

from __future__ import annotations

from pytest_coderobust.engine.completions import CompletionStore
from pytest_coderobust.engine.events import silent
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.records import (
    Cell,
    Row,
    Sampling,
    Task,
    Tests,
    Variant,
)
from support.streamed import ScriptedStream

TASK = Task("T/0", "def f():\n", "f", Tests("assert f() == 1", "asserts"), "    return 1\n")


DRAWN = Sampling(n=3, temperature=0.8)


def variants(*prompts: str) -> list[Variant]:
    return [Variant(TASK, Cell("C1", seed), prompt) for seed, prompt in enumerate(prompts)]


def name_row(row: Row) -> str:
    return f"{row.variant.prompt}/{row.sample}"


def run(model: ScriptedStream, ledger: Ledger, wanted: list[Variant], sampling: Sampling) -> None:
    for _ in CompletionStore(model, ledger, silent).generate(wanted, sampling):
        pass
