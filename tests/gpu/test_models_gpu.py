"""Models on an accelerator: the same answers alone and in a batch, small dtypes, scarce memory."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

# The checkpoints are the unit tests' own.
sys.path.append(str(Path(__file__).parents[1]))

from support.models_checkpoints import (
    BODY,
    OTHER,
    OTHER_BODY,
    PROMPT,
    REST,
    backend,
    row,
    save_memorised,
    save_random,
)

from pytest_coderobust.models.threads import sensible_threads
from pytest_coderobust.records import Sampling

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")

PROMPTS = (PROMPT, "x", "def", "a b c d e f g h i j", "\n\n\n", "return 1", "(" * 30)
SAMPLED = Sampling(temperature=0.8, top_p=0.95, max_new_tokens=20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random(tmp_path_factory.mktemp("random"))


@pytest.fixture
def full_precision() -> Iterator[None]:
    """Matrix products in fp32 proper, whatever this machine's default is."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    yield
    torch.backends.cuda.matmul.allow_tf32 = before


def test_auto_is_the_accelerator(folder: Path) -> None:
    model = backend(folder)
    assert model.device == "cuda:0"
    assert model.load().model.device.type == "cuda"
    assert model.identity.facts["device"] == f"cuda {torch.cuda.get_device_name()}"
    assert model.identity.digest != backend(folder, device="cpu").identity.digest
    assert sensible_threads(None, 10, model.device) is None


@pytest.mark.usefixtures("full_precision")
def test_a_row_in_a_batch_equals_the_row_alone_in_fp32(folder: Path) -> None:
    model = backend(folder, dtype="float32")
    rows = [row(text, noise=place) for place, text in enumerate(PROMPTS)]
    for sampling in (Sampling(max_new_tokens=20), SAMPLED):
        together = model.generate(rows, sampling)
        assert together == [model.generate([one], sampling)[0] for one in rows]


@pytest.mark.usefixtures("full_precision")
def test_fp32_answers_are_those_of_the_processor(folder: Path) -> None:
    rows = [row(text, noise=place) for place, text in enumerate(PROMPTS)]
    answers = backend(folder, dtype="float32").generate(rows, SAMPLED)
    assert answers == backend(folder, dtype="float32", device="cpu").generate(rows, SAMPLED)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("kind", ["byte-level", "sentence-piece"])
def test_half_precision_loads_and_answers(tmp_path: Path, dtype: str, kind: str) -> None:
    texts = [(PROMPT, BODY + REST), (OTHER, OTHER_BODY)]
    model = backend(save_memorised(tmp_path, kind, texts), dtype=dtype)
    answers = model.generate([row(PROMPT), row(OTHER)], Sampling(stop=("\ndef ",)))
    assert {weight.dtype for weight in model.load().model.parameters()} == {getattr(torch, dtype)}
    assert [answer.text for answer in answers] == [BODY + "\n", OTHER_BODY]
    assert [answer.finish for answer in answers] == ["stop", "eos"]


def test_scarce_memory_halves_the_batch(folder: Path) -> None:
    """The allocator itself refuses; nothing is simulated."""
    model = backend(folder, batch_size=64, dtype="float32")
    sampling = Sampling(temperature=0.8, max_new_tokens=4)
    rows = [row("x" * 100, sample, noise=sample) for sample in range(64)]
    expected = model.generate(rows, sampling)
    hungry(model, bytes_a_row=1 << 28)
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, (10 << 28) / total))
    try:
        answers = model.generate(rows, sampling)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert answers == expected
    assert model._batches.size < 10


def hungry(model: Any, bytes_a_row: int) -> None:
    """Makes every forward pass take memory in proportion to its rows."""
    network = model.load().model
    forward = network.forward

    def taking(input_ids: torch.Tensor, **options: Any) -> Any:
        taken = torch.empty(len(input_ids) * bytes_a_row, dtype=torch.uint8, device="cuda")
        found = forward(input_ids=input_ids, **options)
        del taken
        return found

    network.forward = taking


def test_closing_gives_the_memory_back(folder: Path) -> None:
    model = backend(folder, dtype="float32")
    model.generate([row(PROMPT)], SAMPLED)  # the workspaces of the libraries stay
    model.close()
    before = torch.cuda.memory_allocated()
    model.generate([row(PROMPT)], SAMPLED)
    assert torch.cuda.memory_allocated() > before
    model.close()
    assert torch.cuda.memory_allocated() <= before
