"""Oracle: the model that answers every task with its canonical solution."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_coderobust.models.backend import KeyedBy
from pytest_coderobust.models.options import ROWS, ModelOptions
from pytest_coderobust.records import (
    Completion,
    ModelIdentity,
    Row,
    Sampling,
    Variant,
    digest,
)


class Oracle:
    """A backend whose every answer is the task's canonical solution."""

    keyed_by: KeyedBy = "variant"

    def __init__(self, *, batch_size: int = 32) -> None:
        self.batch_size = batch_size

    @property
    def identity(self) -> ModelIdentity:
        return ModelIdentity("oracle", digest("oracle", 1), {"model": "canonical solutions"})

    def unavailable(self, variant: Variant, sampling: Sampling) -> str:  # noqa: ARG002
        return "no canonical solution" if variant.task.canonical is None else ""

    def prompt_length(self, prompt: str) -> int:
        return len(prompt)

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:  # noqa: ARG002
        return [Completion(_canonical(row), "recorded") for row in rows]

    def close(self) -> None:
        pass


def open_oracle(name: str, options: ModelOptions) -> Oracle:  # noqa: ARG001
    return Oracle(batch_size=options.batch_size or ROWS)


def _canonical(row: Row) -> str:
    canonical = row.variant.task.canonical
    assert canonical is not None, "unavailable() said so"
    return canonical
