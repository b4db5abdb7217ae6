"""The contract of every editor on a checkpoint of every architecture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from support.editors_contract import QUICK, REQUEST, answers, fingerprint, logits, model_of, traces
from support.models_architectures import ARCHITECTURES

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.edited_model import edited
from pytest_coderobust.editors.registry import EDITORS, SavedSpec, open_editor, parse_edit
from pytest_coderobust.editors.saved_edits import save_edit, saved_edit

pytestmark = pytest.mark.usefixtures("one_thread", "own_cache")

WRITERS = ("creme", "rome", "ft", "dinm")
SPREADERS = ("memit", "pmet")
DOWN = ("down_proj.weight", "c_proj.weight", "fc_out.weight", "fc2.weight")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("architectures")


@pytest.fixture(scope="module")
def models(root: Path) -> dict[str, Any]:
    return {name: model_of(name, root) for name in ARCHITECTURES}


def test_every_editor_is_in_the_matrix() -> None:
    assert set(QUICK) == set(EDITORS)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("editor", QUICK)
def test_contract(editor: str, architecture: str, models: dict[str, Any], tmp_path: Path) -> None:
    if editor == "lora":
        pytest.importorskip("peft")
    model = models[architecture]
    spec: Any = parse_edit(QUICK[editor])
    tensors, others, scores = fingerprint(model), traces(model), logits(model)

    with edited(model, spec, [REQUEST]) as repaired:
        now = fingerprint(model)
        changed = [name for name, value in tensors.items() if now.get(name, value) != value]
        changed_scores = logits(model)
        text = answers(repaired)
        change = repaired.change
        save_edit(tmp_path, model, change, spec, [REQUEST])
        if editor in WRITERS:
            assert len(changed) == 1, "one matrix is declared"
            assert changed[0].endswith(DOWN)
            assert 0 < repaired.facts["drift"] < 10
        elif editor in SPREADERS:
            assert len(changed) == 2, "two layers are declared"
            assert all(name.endswith(DOWN) for name in changed)
            assert 0 < repaired.facts["drift"] < 10
            before, after = repaired.facts["target_nll"]
            assert after < before
            assert repaired.facts["z_error_kept"] < 1
        elif editor == "malmen":
            assert len(changed) == 2, "two layers are declared"
            assert all(name.endswith(DOWN) for name in changed)
            assert 0 < repaired.facts["drift"] < 10
        else:
            assert changed == []
        if editor != "denoise":
            losses = repaired.facts["losses"]
            assert min(losses[1:]) < losses[0], "the objective falls"
            assert not torch.equal(changed_scores, scores)

    assert fingerprint(model) == tensors
    assert traces(model) == others
    assert torch.equal(logits(model), scores)

    with saved_edit(SavedSpec(tmp_path), model) as again:
        assert torch.equal(logits(model), changed_scores), "a saved edit equals the one made"
        assert answers(again) == text
    assert torch.equal(logits(model), scores)

    for side, exact in (("left", True), ("right", False)):
        access = Access(model, side)
        with access.frozen_weights():
            other = open_editor(spec).compute(access, [REQUEST])
        for name, tensor in change.tensors().items():
            same = other.tensors()[name]
            if exact:
                assert torch.equal(tensor, same), "the same request gives the same change"
            else:
                assert torch.allclose(tensor, same, rtol=1e-3, atol=1e-5), "padding does not matter"
    assert traces(model) == others
