"""Memory that does not suffice for an edit: one sentence, nothing kept, and the model as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support.editors_contract import OTHER, REQUEST, fingerprint, traces
from support.models_architectures import save_architecture
from support.models_checkpoints import backend

from pytest_coderobust.edit_bench.editors import read_editors
from pytest_coderobust.edit_bench.measuring import measure_all
from pytest_coderobust.edit_bench.memory import AskSettings, BenchMemory
from pytest_coderobust.edit_bench.plan import BenchPart, BenchPlan
from pytest_coderobust.editors.edited_model import edited, successive_batches
from pytest_coderobust.editors.finetuning import ConstrainedFineTuning
from pytest_coderobust.editors.memory import run_in_memory
from pytest_coderobust.editors.registry import parse_edit
from pytest_coderobust.errors import EditRefused, MemoryExhausted
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.records.knowledge import KnowledgeCase

FT: Any = parse_edit("ft:layer=1,steps=1,lr=0.01,epsilon=0.02")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("memory") / "net"
    return backend(save_architecture(folder, "llama", max_position_embeddings=512))


def take_tensor() -> None:
    torch.empty(2**50, dtype=torch.uint8)


def take_bytes() -> None:
    bytearray(2**62)


def take_device() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore words")


def take_workspace() -> None:
    raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")


def failing(take: Callable[[], None]) -> Callable[..., None]:
    """Makes of it what takes any arguments."""

    def call(*_: object, **__: object) -> None:
        take()

    return call


@pytest.mark.parametrize("take", [take_tensor, take_bytes, take_device, take_workspace])
def test_an_edit_without_memory_is_told_in_one_sentence(
    model: Any, take: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (fingerprint(model), traces(model))
    monkeypatch.setattr(ConstrainedFineTuning, "compute", failing(take))
    with (
        pytest.raises(
            MemoryExhausted, match=r"^ft:.*: an edit of model .*: memory does not"
        ) as told,
        edited(model, FT, [REQUEST]),
    ):
        pass
    assert not isinstance(told.value, EditRefused)
    assert "\n" not in str(told.value)
    assert told.value.__context__ is None, "a traceback would hold the tensors that have to go"
    assert (fingerprint(model), traces(model)) == before


def test_other_errors_of_torch_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="must match"):
        run_in_memory(lambda: torch.ones(2) + torch.ones(3), "x")
    assert run_in_memory(lambda: None, "x") is None


def test_a_study_keeps_no_refusal_of_what_memory_ended(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its successive edits are refused where they cannot be made; memory is no such reason."""
    monkeypatch.setattr(ConstrainedFineTuning, "compute", failing(take_device))
    batches = [[REQUEST], [OTHER]]
    with (
        contextlib.closing(successive_batches(model, FT, batches, skipped={})) as steps,
        pytest.raises(MemoryExhausted),
    ):
        next(steps)


def test_an_editor_without_memory_ends_no_other(
    model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ConstrainedFineTuning, "compute", failing(take_device))
    ledger = Ledger(tmp_path / "l.sqlite")
    memory = BenchMemory(model, ledger, AskSettings())
    case = KnowledgeCase("a", "def f():", "    return 2", ("def f( ):",))
    editors = read_editors(["ft:layer=1", "lora:steps=1", "creme:layer=0,steps=1"], training=False)
    plan = BenchPlan(memory, "x", (BenchPart((case,)),), editors)
    failed = measure_all(plan, model, failing(lambda: None))
    assert list(failed) == ["ft:layer=1"]
    assert [len(each.scores) for each in plan.conclude(failed).editors] == [0, 1, 1]
    ledger.close()
