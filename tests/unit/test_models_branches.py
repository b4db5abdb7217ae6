"""Rows that share what they have in common write what they would write alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.models_architectures import ARCHITECTURES, save_architecture, save_other
from support.models_checkpoints import PROMPT, backend, row, save_random

from pytest_coderobust.models.branches import read_prompts
from pytest_coderobust.models.decoding import (
    Prompt,
    decode_batch,
    generate_by_transformers,
    pad_left,
)
from pytest_coderobust.models.slots import CacheSlots
from pytest_coderobust.records import Sampling

pytestmark = pytest.mark.usefixtures("one_thread")

PROMPTS = (PROMPT, "x", "return 1", "\n\n\n")
GREEDY = Sampling(max_new_tokens=24)
SAMPLED = Sampling(n=5, temperature=0.3, top_p=0.9, max_new_tokens=24)
STOPPED = Sampling(n=5, temperature=0.3, max_new_tokens=24, stop=("e", "x)"))
CONTENT = st.lists(st.integers(0, 4), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("branching")


def prompts(model: Any, sampling: Sampling) -> list[Prompt]:
    return [
        Prompt(tuple(model.encode(text, "python")), noise=10 * place + sample)
        for place, text in enumerate(PROMPTS)
        for sample in range(sampling.n)
    ]


def widths(model: Any) -> list[tuple[int, int]]:
    """Lists rows and width of every forward pass from now on."""
    network = model.load().model
    forward = network.forward
    seen: list[tuple[int, int]] = []

    def looking(input_ids: torch.Tensor, **options: Any) -> Any:
        seen.append(tuple(input_ids.shape))
        return forward(input_ids=input_ids, **options)

    network.forward = looking
    return seen


class TestLikeGenerate:
    """transformers' own generation, every row read and continued by itself, is the reference."""

    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    @pytest.mark.parametrize("sampling", [GREEDY, SAMPLED, STOPPED])
    def test_every_architecture(self, architecture: str, sampling: Sampling, root: Path) -> None:
        model = backend(save_architecture(root / architecture, architecture))
        self.check(model, sampling)

    @pytest.mark.parametrize("kind", ["Mistral", "Gemma2", "Olmo", "Bloom", "OPT", "GPTNeoX"])
    def test_other_ways_to_attend(self, kind: str, root: Path) -> None:
        """Sliding windows shorter than the prompt, and positions that the mask alone tells."""
        self.check(backend(save_other(kind, root / kind)), SAMPLED)

    def check(self, model: Any, sampling: Sampling) -> None:
        loaded = model.load()
        rows = prompts(model, sampling)
        with torch.no_grad():
            assert read_prompts(loaded.model, *pad_left(loaded, [rows[0].ids])) is not None
            found = decode_batch(loaded, rows, sampling, sampling.max_new_tokens)
            assert found == generate_by_transformers(
                loaded, rows, sampling, sampling.max_new_tokens
            )
        assert len({answer.text for answer in found}) > 2

    def test_a_network_without_keys_and_values_is_left_to_transformers(self, root: Path) -> None:
        model = backend(save_other("Mamba", root / "mamba"))
        loaded = model.load()
        rows = prompts(model, STOPPED)
        with torch.no_grad():
            assert read_prompts(loaded.model, *pad_left(loaded, [rows[0].ids])) is None
        texts = [row(PROMPT, noise=place) for place in range(3)]
        together = model.generate(texts, STOPPED)
        assert together == [model.generate([each], STOPPED)[0] for each in texts]
        assert "stop" in {answer.finish for answer in together}


class TestSharing:
    def test_samples_of_a_prompt_are_one_row_until_they_part(self, root: Path) -> None:
        model = backend(save_random(root / "random"))
        rows = [row(PROMPT, sample, noise=sample) for sample in range(20)]
        sampling = Sampling(n=20, temperature=0.05, max_new_tokens=16)
        seen = widths(model)
        answers = model.generate(rows, sampling)
        reading, *steps = seen
        assert reading == (1, len(model.encode(PROMPT, "python")))
        texts = len({answer.text for answer in answers})
        assert 1 < texts < 20
        assert steps[0][0] < max(count for count, _ in steps) <= texts

    def test_greedy_samples_are_computed_once(self, root: Path) -> None:
        model = backend(save_random(root / "greedy"))
        seen = widths(model)
        answers = model.generate([row(PROMPT, sample) for sample in range(9)], GREEDY)
        assert len(set(answers)) == 1
        assert {count for count, _ in seen} == {1}

    def test_a_row_that_has_ended_leaves(self, root: Path) -> None:
        model = backend(save_random(root / "leaving"))
        rows = [row(text, noise=place) for place, text in enumerate(PROMPTS)]
        sampling = Sampling(temperature=1.0, max_new_tokens=40, stop=("e",))
        seen = widths(model)
        lengths = [answer.tokens for answer in model.generate(rows, sampling)]
        assert len(set(lengths)) > 1
        steps = [count for count, _ in seen[1:]]
        assert steps == [
            sum(length > made for length in lengths) for made in range(1, max(lengths))
        ]


@given(data=st.data(), width=st.integers(1, 3))
@settings(deadline=None, max_examples=150)
def test_slots_hold_what_was_put_there(data: st.DataObject, width: int) -> None:
    """Against plain lists: passes that add a token to every slot, and copies between them."""
    cache = CacheSlots()
    counter = iter(range(10**6))
    rows: list[list[int]] = [[] for _ in range(data.draw(st.integers(1, 4)))]
    for size in (width, *[1] * data.draw(st.integers(0, 80))):
        new = [[next(counter) for _ in range(size)] for _ in rows]
        states = torch.tensor(new, dtype=torch.float32)[:, None, :, None]
        keys, values = cache.update(states, -states.expand(-1, 2, -1, -1), 0)
        rows = [[*old, *more] for old, more in zip(rows, new, strict=True)]
        assert keys[:, 0, :, 0].tolist() == rows
        assert (-values[:, 1, :, 0]).tolist() == rows
        assert cache.length == len(rows[0])
        chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=6))
        pairs = [(source, place) for place, source in enumerate(chosen) if source != place]
        if pairs:
            cache.copy(pairs)
        rows = [rows[source] for source in chosen]
