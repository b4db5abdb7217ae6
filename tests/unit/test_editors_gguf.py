"""Every editor on a GGUF file whose blocks were unpacked: the edit is made, saved and loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from support.editors_contract import QUICK, REQUEST, answers, fingerprint, logits

from pytest_coderobust.editors.edited_model import edited
from pytest_coderobust.editors.registry import SavedSpec, parse_edit
from pytest_coderobust.editors.saved_edits import save_edit, saved_edit
from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.registry import open_backend

pytestmark = pytest.mark.usefixtures("one_thread", "own_cache")

# `tiny` does nearly what the request asks, so the loss is small from the start.
WORDS = {**QUICK, **{name: f"{QUICK[name]},stop=0" for name in ("ft", "lora", "memit", "pmet")}}


def open_file(file: Path) -> Any:
    return open_backend(str(file), options=ModelOptions(threads=1))


@pytest.fixture(scope="module")
def model(packed_gguf: Path) -> Any:
    return open_file(packed_gguf)


@pytest.mark.parametrize("editor", QUICK)
def test_an_edit_of_a_gguf_file_is_made_and_saved(editor: str, model: Any, tmp_path: Path) -> None:
    if editor == "lora":
        pytest.importorskip("peft")
    spec: Any = parse_edit(WORDS[editor])
    # PMET and ROME refuse a request that the model answers as told already.
    asked = replace(REQUEST, target="    return 7\n") if editor in ("pmet", "rome") else REQUEST
    tensors, scores = fingerprint(model), logits(model)
    with edited(model, spec, [asked]) as repaired:
        changed, text = logits(model), answers(repaired)
        save_edit(tmp_path, model, repaired.change, spec, [asked])
    assert fingerprint(model) == tensors
    assert torch.equal(changed, scores) is (editor == "denoise")
    with saved_edit(SavedSpec(tmp_path), model) as again:
        assert torch.equal(logits(model), changed)
        assert answers(again) == text


def test_an_edit_belongs_to_its_file(model: Any, tiny_gguf: Path, tmp_path: Path) -> None:
    spec: Any = parse_edit(WORDS["ft"])
    with edited(model, spec, [REQUEST]) as repaired:
        save_edit(tmp_path, model, repaired.change, spec, [REQUEST])
    with pytest.raises(ModelError, match="the edit was made for model"):
        saved_edit(SavedSpec(tmp_path), open_file(tiny_gguf)).__enter__()
