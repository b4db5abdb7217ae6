"""Training on an accelerator: float32 masters, products in bfloat16, and the base's dtype in the end."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pytest_coderobust.training.settings import LoraSettings
from tests.support.models_checkpoints import backend, save, save_random
from tests.support.training_runs import SETTINGS, read_weights, run

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize("lora", [None, LoraSettings(4, 8, 0.0)], ids=["full", "lora"])
def test_a_half_precision_base_learns_on_cuda(tmp_path: Path, lora: LoraSettings | None) -> None:
    base = save_random(tmp_path / "float", initializer_range=0.1)
    loaded = backend(base, device="cpu").load()
    half = save(tmp_path / "half", loaded.model.to(torch.bfloat16), loaded.tokenizer)
    settings = replace(SETTINGS, epochs=6, lora=lora, rate=1e-2 if lora else 3e-3)
    done = run(half, tmp_path / "out", settings)
    log = [
        json.loads(line)
        for line in (tmp_path / "out" / "training-log.jsonl").read_text().splitlines()
    ]
    assert done.loss < 0.7 * log[0]["loss"]
    facts = json.loads((tmp_path / "out" / "coderobust-training.json").read_text())
    assert facts["precision"]["trained"] == "float32"
    assert facts["precision"]["products"] == "bfloat16"
    wanted = torch.float32 if lora else torch.bfloat16
    assert {value.dtype for value in read_weights(tmp_path / "out").values()} == {wanted}
