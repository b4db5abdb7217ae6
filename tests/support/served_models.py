"""Rows, answers and backends for tests of served models against a scripted server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.served.agreement import PlainAgreement
from pytest_coderobust.models.served.backend import ServedBackend
from pytest_coderobust.models.served.opening import make_server
from pytest_coderobust.models.served.patience import Patience
from pytest_coderobust.records import Cell, Row, Sampling, Task, Tests, Variant
from support.scripted_server import Asked, Told

AT_ONCE = Patience(first=0.0, longest=0.0)
"""Patience that waits for nothing but what a server asks."""

GREEDY = Sampling(max_new_tokens=8)


@dataclass(frozen=True)
class Known:
    """An introducer that asks nobody."""

    agreed: PlainAgreement

    def introduce(self, *_: object) -> PlainAgreement:
        return self.agreed

    def check_length(self, *_: object) -> None:
        pass


def make_row(prompt: str, sample: int = 0, noise: int = 7) -> Row:
    task = Task(f"Toy/{prompt}", prompt, "f", Tests("", "asserts"))
    return Row(Variant(task, Cell(), prompt), sample, noise)


def make_rows(number: int) -> list[Row]:
    return [make_row(f"def f{place}():\n", noise=place) for place in range(number)]


def completed(text: str, finish: str = "stop", **more: Any) -> Told:
    """An answer of the completions API."""
    body: dict[str, Any] = {
        "model": "toy",
        "choices": [{"text": text, "finish_reason": finish}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 3},
    }
    return Told({**body, **more})


def chatted(content: object, finish: str = "stop", **more: Any) -> Told:
    """An answer of the chat API."""
    message = {"role": "assistant", "content": content}
    choice = {"message": message, "finish_reason": finish}
    return Told({"model": "toy", "choices": [choice], **more})


def prompt_of(asked: Asked) -> str:
    """The prompt of a request of either API."""
    body = asked.body
    return str(body["prompt"] if "prompt" in body else body["messages"][0]["content"])


def open_toy(
    *urls: str,
    entry: ServerEntry | None = None,
    options: ModelOptions | None = None,
    environment: Mapping[str, str] | None = None,
    patience: Patience = AT_ONCE,
    agreed: PlainAgreement | None = None,
    change: Callable[[ServerEntry], ServerEntry] = lambda entry: entry,
) -> ServedBackend:
    """A backend for the model "toy" of some servers, without a handshake."""
    entry = change(entry or ServerEntry(urls, "toy"))
    server = make_server("toy", entry, options or ModelOptions(), environment or {})
    api = server.entry.api or "completions"
    found = agreed or PlainAgreement(entry.id, api)
    return ServedBackend(server, Known(found), patience)
