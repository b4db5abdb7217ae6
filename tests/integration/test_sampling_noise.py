"""A prompt's k-th sample is its own: not its batch mates', not the window's, not the process's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_coderobust.engine.keys import make_noise_seed
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.records import Cell, Row, Sampling, Variant
from pytest_coderobust.tasks.load import load_tasks

# Hot: the model is sure of most of its answers.
SAMPLING = Sampling(n=2, temperature=1.5, max_new_tokens=48)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Two samples each of sixteen prompts of the quickstart suite."""
    tasks = load_tasks("quickstart", base=Path()).tasks[:16]
    variants = [Variant(task, Cell(), task.prompt) for task in tasks]
    return [
        Row(v, sample, make_noise_seed(v, SAMPLING, sample)) for v in variants for sample in (0, 1)
    ]


@pytest.fixture(scope="module")
def together(rows: list[Row]) -> list[str]:
    return texts(rows)


def texts(rows: Sequence[Row]) -> list[str]:
    backend = open_backend("tiny")
    found = [completion.text for completion in backend.generate(rows, SAMPLING)]
    backend.close()
    return found


def test_row_alone_equals_the_row_in_a_batch_of_32(rows: list[Row], together: list[str]) -> None:
    for place in (0, 5, 17, 31):
        assert texts([rows[place]]) == [together[place]]


def test_order_of_a_batch_does_not_matter(rows: list[Row], together: list[str]) -> None:
    assert texts(rows[::-1]) == together[::-1]


def test_samples_of_a_prompt_differ(together: list[str]) -> None:
    pairs = list(zip(together[::2], together[1::2], strict=True))
    assert sum(one != other for one, other in pairs) > len(pairs) / 4
