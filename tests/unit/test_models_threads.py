"""Threads of a real network, under a clock that tells how long each number of threads takes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from support.models_architectures import save_other
from support.models_checkpoints import PROMPT, backend, row, save_random

from pytest_coderobust.models.hf import HFBackend
from pytest_coderobust.models.loaded_model import LoadedModel
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.models.threads import TIMED_FROM, GenerationThreads, find_layers
from pytest_coderobust.models.watch import GenerationWatch, watched
from pytest_coderobust.records import Sampling

LONG = Sampling(max_new_tokens=60)
Seconds = Callable[[int], float]


class Clock:
    """A clock that each look moves on by what the threads in force cost."""

    def __init__(self, seconds: Seconds) -> None:
        self.seconds = seconds
        self.now = 0.0

    def __call__(self) -> float:
        self.now += self.seconds(torch.get_num_threads())
        return self.now


class Notes(GenerationWatch):
    def __init__(self) -> None:
        self.shares: list[float] = []
        self.threads = ""

    def read(self, share: float) -> None:
        self.shares.append(share)

    def ran(self, threads: str) -> None:
        self.threads = threads


@pytest.fixture(autouse=True)
def two_threads() -> Generator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    assert torch.get_num_threads() == 2, "threads are given back"
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=["llama", "Mamba"])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "llama":
        save_random(folder)
    else:
        save_other(request.param, folder)
    found: LoadedModel = backend(folder).load()
    return found


def steps(loaded: LoadedModel, threads: GenerationThreads, watch: GenerationWatch) -> list[int]:
    """Threads of every pass through the last layer: a prompt is read, and tokens are written."""
    seen: list[int] = []
    layer = find_layers(loaded.model)[-1]
    hook = layer.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    ids = torch.ones(4, 20, dtype=torch.long)
    with torch.no_grad(), threads.running(loaded.model, watch):
        loaded.model(input_ids=ids)
        for _ in range(30):
            loaded.model(input_ids=ids[:, :1])
    hook.remove()
    return seen


@pytest.mark.parametrize("best", [1, 2])
def test_generation_runs_with_what_is_fastest(loaded: LoadedModel, best: int) -> None:
    clock = Clock(lambda threads: 0.05 if threads == best else 0.25)
    threads, notes = GenerationThreads(None, TIMED_FROM, "cpu", clock), Notes()
    seen = steps(loaded, threads, notes)
    assert set(seen) == {1, 2}, "both were tried"
    assert set(seen[-10:]) == {best}
    assert notes.threads == f"{best} of 2 (timed)"
    # What was found out is known in the next batch.
    assert steps(loaded, threads, notes)[-30:] == [best] * 30


def test_reading_and_writing_have_a_choice_each(loaded: LoadedModel) -> None:
    """Threads help to read, which is much work at once, and hinder writing."""
    reading = True

    def seconds(threads: int) -> float:
        return 0.25 if (threads == 1) is reading else 0.05

    clock, notes = Clock(seconds), Notes()
    threads = GenerationThreads(None, TIMED_FROM, "cpu", clock)
    ids = torch.ones(4, 20, dtype=torch.long)
    with torch.no_grad(), threads.running(loaded.model, notes):
        for _ in range(10):
            loaded.model(input_ids=ids)
        reading = False
        for _ in range(10):
            loaded.model(input_ids=ids[:, :1])
    assert notes.threads == "2 reading, 1 writing, of 2 (timed)"


@pytest.mark.parametrize(
    ("asked", "recorded", "parameters", "device", "told", "ran"),
    [
        (2, None, 10, "cpu", "2 (asked for)", 2),
        (1, None, 10**12, "cpu", "1 (asked for)", 1),
        (1, None, 10**12, "cuda:0", "1 (asked for)", 1),
        (None, None, TIMED_FROM - 1, "cpu", "1 (small model)", 1),
        (None, 1, TIMED_FROM, "cpu", "1 (small model)", 1),
        (1, 2, TIMED_FROM, "cpu", "1 (asked for)", 1),
        (None, None, 10, "cuda:0", "", 2),
    ],
)
def test_nothing_is_timed_where_the_number_is_known(
    loaded: LoadedModel,
    asked: int | None,
    recorded: int | None,
    parameters: int,
    device: str,
    told: str,
    ran: int,
) -> None:
    def refuse() -> float:
        raise AssertionError("nobody looks at the clock")

    notes = Notes()
    threads = GenerationThreads(asked, parameters, device, refuse, recorded=recorded)
    assert set(steps(loaded, threads, notes)) == {ran}
    assert notes.threads == told


def test_the_bundled_model_is_not_timed() -> None:
    """Documents print its figures to the digit, and threads move the rounding of sums."""
    model, notes = open_backend("tiny", options=ModelOptions(device="cpu")), Notes()
    with watched(notes):
        model.generate([row(PROMPT)], Sampling(max_new_tokens=4))
    assert isinstance(model, HFBackend)
    assert model.load().parameters >= TIMED_FROM
    assert notes.threads == "1 (small model)"


def test_a_single_thread_is_left_alone(loaded: LoadedModel) -> None:
    torch.set_num_threads(1)
    notes = Notes()
    try:
        threads = GenerationThreads(None, TIMED_FROM, "cpu", iter([]).__next__)
        assert set(steps(loaded, threads, notes)) == {1}
    finally:
        torch.set_num_threads(2)
    assert not notes.threads


def test_hooks_are_gone_behind_a_batch_and_behind_an_error(loaded: LoadedModel) -> None:
    threads = GenerationThreads(None, TIMED_FROM, "cpu", Clock(float))
    with pytest.raises(KeyboardInterrupt), threads.running(loaded.model, Notes()):
        raise KeyboardInterrupt
    assert not list(list_hooks(loaded.model))


def list_hooks(model: Any) -> Iterator[object]:
    for part in model.modules():
        yield from part._forward_hooks.values()
        yield from part._forward_pre_hooks.values()


def test_reading_is_told_layer_by_layer(loaded: LoadedModel) -> None:
    notes = Notes()
    steps(loaded, GenerationThreads(2, TIMED_FROM, "cpu"), notes)
    assert notes.shares == [0.5, 1.0]


def test_a_batch_is_told_with_its_threads(tmp_path: Path) -> None:
    model, notes = backend(save_random(tmp_path)), Notes()
    with watched(notes):
        answers = model.generate([row(PROMPT)], LONG)
    assert notes.threads == "1 (small model)"
    asked = backend(tmp_path, threads=2)
    with watched(notes):
        assert asked.generate([row(PROMPT)], LONG) == answers
    assert notes.threads == "2 (asked for)"
    assert asked.identity == model.identity
