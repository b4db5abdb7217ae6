"""A model that reads prompts: it solves a task while the words it looks for are there."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pytest_coderobust.engine.events import Listener, silent
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import KeyedBy
from pytest_coderobust.records import Completion, ModelIdentity, Row, Sampling, Variant, digest
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.session import open_session

PROSE = (
    "Return the sum of every value in the given list, and add one to the total for each of the "
    "negative values that were found."
)
WRONG = "    return None\n"

Fails = Callable[[str], float]
"""The probability that the model fails on a prompt."""


class Reader:
    """Fails with a probability that a function of the prompt gives."""

    def __init__(self, fails: Fails, name: str = "reader", keyed_by: KeyedBy = "prompt") -> None:
        self.fails = fails
        self.keyed_by: KeyedBy = keyed_by
        self.batch_size = 32
        self.identity = ModelIdentity(name, digest("reader", name), {"model": name})
        self.batches: list[int] = []

    def unavailable(self, variant: Variant, sampling: Sampling) -> str:  # noqa: ARG002
        return ""

    def prompt_length(self, prompt: str) -> int:
        return len(prompt)

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> list[Completion]:  # noqa: ARG002
        self.batches.append(len(rows))
        return [Completion(self._answer(row), "eos", 5) for row in rows]

    def close(self) -> None:
        pass

    def _answer(self, row: Row) -> str:
        failing = random.Random(row.noise).random() < self.fails(row.variant.prompt)
        return WRONG if failing else str(row.variant.task.canonical)


def write_suite(folder: Path, names: Sequence[str] = ("total",), sections: str = "") -> Path:
    rows = [
        {
            "task_id": f"Toy/{index}",
            "prompt": f'def {name}(values):\n    """{PROSE}"""\n',
            "entry_point": name,
            "canonical_solution": "    return sum(values) + sum(each < 0 for each in values)\n",
            "test": "def check(candidate):\n    assert candidate([1, -2]) == 0\n"
            "    assert candidate([3]) == 3\n",
        }
        for index, name in enumerate(names)
    ]
    (folder / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = folder / "toy.toml"
    path.write_text(f'[suite]\ntasks = "tasks.jsonl"\n{sections}\n')
    return path


@contextmanager
def open_measurement(
    suite: Path, model: Reader, listen: Listener = silent
) -> Generator[tuple[Measurement, Ledger]]:
    choices = Choices(ledger=suite.parent / "ledger.sqlite", sandbox_workers=1)
    with open_session(choices, suite.parent, backend=model) as session:
        session.listeners.append(listen)
        yield session.suite(session.refer(suite)).single, session.ledger
