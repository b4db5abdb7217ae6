"""The watch of a batch: rows are told once, when they end, as they will be answered."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from support.models_architectures import save_other
from support.models_checkpoints import PROMPT, backend, row, save_random

from pytest_coderobust.models.watch import GenerationWatch, find_watch, unwatched, watched
from pytest_coderobust.records import Completion, Sampling

pytestmark = pytest.mark.usefixtures("one_thread")

SAMPLED = Sampling(temperature=1.5, max_new_tokens=40, stop=("e",))


class Notes(GenerationWatch):
    def __init__(self) -> None:
        self.found: dict[int, Completion] = {}
        self.tokens = 0
        self.when: list[int] = []

    def wrote(self, tokens: int) -> None:
        self.tokens += tokens

    def ended(self, rows: Mapping[int, Completion]) -> None:
        assert not rows.keys() & self.found.keys()
        self.found.update(rows)
        self.when += [self.tokens] * len(rows)


@pytest.mark.parametrize("window", [256, 80])
@pytest.mark.parametrize("kind", ["Llama", "Mamba"])
def test_rows_are_told_when_they_end(kind: str, window: int, tmp_path: Path) -> None:
    """Also where rows of a call are allowed different numbers of tokens, and are asked apart."""
    folder = save_random(tmp_path, window=window) if kind == "Llama" else save_other(kind, tmp_path)
    model, notes = backend(folder), Notes()
    prompts = [PROMPT, "x = 1\n", PROMPT, "def f():\n", "#\n", PROMPT]
    rows = [row(prompt, noise=place) for place, prompt in enumerate(prompts)]
    plain = model.generate(rows, SAMPLED)
    with watched(notes):
        answers = model.generate(rows, SAMPLED)
    assert answers == plain
    assert [notes.found[place] for place in range(len(rows))] == answers
    assert len(set(notes.when)) > 1
    assert len({answer.tokens for answer in answers}) > 1
    # An end token is written and is none of the completion's.
    ends = sum(answer.finish == "eos" for answer in answers)
    assert notes.tokens == sum(answer.tokens for answer in answers) + ends


def test_outside_the_watch_nothing_is_told(tmp_path: Path) -> None:
    model, notes = backend(save_random(tmp_path)), Notes()
    with watched(notes):
        with unwatched():
            model.generate([row(PROMPT)], SAMPLED)
        assert find_watch() is notes
    model.generate([row(PROMPT)], SAMPLED)
    assert not notes.found
    assert not notes.tokens
