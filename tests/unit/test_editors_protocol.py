"""Edits go in, answer under their own name, stack, save, and come out without a trace."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from support.editors_contract import (
    OTHER,
    REQUEST,
    SAMPLING,
    answers,
    fingerprint,
    model_of,
    traces,
)
from support.models_checkpoints import PROMPT, row

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.edited_model import edited, placebo, successive
from pytest_coderobust.editors.identity import edited_identity, require_weights
from pytest_coderobust.editors.registry import SavedSpec, parse_edit
from pytest_coderobust.editors.saved_edits import load_edit, save_edit, saved_edit
from pytest_coderobust.editors.weights import WeightChange
from pytest_coderobust.errors import ConfigError, DataError, ModelError, UnknownName, UsageError
from pytest_coderobust.models.registry import open_backend

SPEC: Any = parse_edit("ft:layer=1,lr=0.05,epsilon=0.1,steps=4")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def model(root: Path) -> Any:
    return model_of("llama", root)


def test_an_edit_goes_in_and_comes_out_without_a_trace(model: Any) -> None:
    tensors, others, before = fingerprint(model), traces(model), answers(model)
    with edited(model, SPEC, [REQUEST]) as repaired:
        changed = {name for name, value in fingerprint(model).items() if value != tensors[name]}
        assert changed == {"model.layers.1.mlp.down_proj.weight"}
        assert repaired.facts["drift"] > 0
        assert answers(repaired) != before
    assert fingerprint(model) == tensors
    assert traces(model) == others
    assert answers(model) == before


def test_an_error_inside_restores_as_well(model: Any) -> None:
    tensors = fingerprint(model)
    with pytest.raises(KeyError), edited(model, SPEC, [REQUEST]):
        raise KeyError
    assert fingerprint(model) == tensors
    assert model.load().edits == []


def test_an_edited_model_has_a_name_of_its_own(model: Any) -> None:
    expected = edited_identity(model.identity, SPEC, [REQUEST])
    names = {model.identity.digest, expected.digest}
    with edited(model, SPEC, [REQUEST]) as repaired:
        assert repaired.identity == expected
        with placebo_of(repaired, model) as seven:
            names.add(seven)
    names.add(edited_identity(model.identity, SPEC, [OTHER]).digest)
    names.add(edited_identity(model.identity, SPEC, [REQUEST, OTHER]).digest)
    faster: Any = parse_edit("ft:lr=0.06")
    names.add(edited_identity(model.identity, faster, [REQUEST]).digest)
    names.add(edited_identity(expected, SPEC, [REQUEST]).digest)
    assert len(names) == 7
    assert expected.facts["edits"] == f"{SPEC.label} for Toy/0[C1-s0]"


@contextlib.contextmanager
def placebo_of(repaired: Any, model: Any) -> Any:
    with placebo(repaired, repaired.change, repaired.identity, 7) as control:
        yield control.identity.digest


def test_only_the_uppermost_edit_answers(model: Any) -> None:
    base = answers(model)
    with edited(model, SPEC, [REQUEST]) as lower:
        first = answers(lower)
        with pytest.raises(ModelError, match="is edited now"):
            answers(model)
        with edited(lower, SPEC, [OTHER]) as upper:
            with pytest.raises(ModelError, match="this edit is covered"):
                answers(lower)
            assert upper.identity.facts["edits"].count(";") == 1
            assert answers(upper) != first
        assert answers(lower) == first
    with pytest.raises(ModelError, match="this edit has been undone"):
        answers(lower)
    assert answers(model) == base


def test_an_edit_lasts_when_the_model_below_is_closed(root: Path) -> None:
    model = model_of("llama", root)
    with edited(model, SPEC, [REQUEST]) as repaired:
        before = answers(repaired)
        model.close()
        assert answers(repaired) == before


def test_successive_edits_accumulate(model: Any) -> None:
    tensors = fingerprint(model)
    drifts, names = [], []
    with contextlib.closing(successive(model, SPEC, [REQUEST, OTHER])) as checkpoints:
        for repaired in checkpoints:
            drifts.append(repaired.facts["drift"])
            names.append(repaired.identity.digest)
            answers(repaired)
    assert drifts[1] > drifts[0]
    assert names[1] == edited_identity(model.identity, SPEC, [REQUEST, OTHER]).digest
    with edited(model, SPEC, [REQUEST, OTHER]) as together:
        assert together.facts["drift"] == pytest.approx(drifts[1], rel=1e-6)
    assert fingerprint(model) == tensors


def test_the_placebo_keeps_norm_and_rank_and_turns_the_input(model: Any) -> None:
    torch.manual_seed(3)
    delta = torch.randn(16, 3) @ torch.randn(3, 32)
    change = WeightChange({"model.layers.1.mlp.down_proj.weight": delta})
    (turned,) = change.placebo(0).deltas.values()
    values, others = torch.linalg.svdvals(delta), torch.linalg.svdvals(turned)
    assert torch.allclose(values, others, atol=1e-4)
    # Outputs live in the same space, inputs do not: cosine of 512 numbers near 0.
    assert torch.allclose(delta @ delta.T, turned @ turned.T, atol=1e-3)
    assert torch.cosine_similarity(delta.flatten(), turned.flatten(), dim=0).abs() < 0.5
    assert not torch.equal(
        turned, change.placebo(1).tensors()["model.layers.1.mlp.down_proj.weight"]
    )


class TestSaving:
    @pytest.fixture
    def folder(self, model: Any, tmp_path: Path) -> Path:
        with edited(model, SPEC, [REQUEST]) as repaired:
            save_edit(tmp_path / "edit", model, repaired.change, SPEC, [REQUEST])
        return tmp_path / "edit"

    def test_a_saved_edit_equals_the_one_that_was_made(self, model: Any, folder: Path) -> None:
        with edited(model, SPEC, [REQUEST]) as repaired:
            expected, text = fingerprint(model), answers(repaired)
        spec = parse_edit(str(folder))
        assert isinstance(spec, SavedSpec)
        with saved_edit(spec, model) as loaded:
            assert fingerprint(model) == expected
            assert answers(loaded) == text

    def test_another_model_refuses_it(self, root: Path, folder: Path) -> None:
        with pytest.raises(ModelError, match="was made for model"):
            load_edit(SavedSpec(folder), model_of("qwen2", root))

    def test_a_broken_folder_is_said(self, model: Any, folder: Path) -> None:
        record = json.loads((folder / "edit.json").read_text())
        for broken in ("[]", "{", json.dumps({**record, "kind": "magic"})):
            (folder / "edit.json").write_text(broken)
            with pytest.raises(DataError, match=r"edit\.json"):
                load_edit(SavedSpec(folder), model)
        (folder / "edit.json").write_text(json.dumps(record))
        (folder / "edit.safetensors").write_bytes(b"x" * 20)
        with pytest.raises(DataError, match="cannot be read"):
            load_edit(SavedSpec(folder), model)


class TestBadInput:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("crme", "unknown editor 'crme'"),
            ("ft:layr=2", "unknown option 'layr'; did you mean 'layer'"),
            ("ft:lr=fast", "lr = fast: must be a number"),
            ("ft:lr=nan", "lr = nan: must be a number"),
            ("ft:steps=1.5", "steps = 1.5: must be a whole number"),
            ("ft:steps=0", "steps = 0: must be at least 1"),
            ("ft:loss=sum", "not a valid choice"),
            ("ft:lr", "'lr' is not a valid option; write NAME=VALUE"),
            ("ft:lr=1,lr=2", "'lr' is given twice"),
            ("./nowhere", "holds no saved edit"),
        ],
    )
    def test_one_sentence_before_a_model_loads(self, text: str, message: str) -> None:
        with pytest.raises(UsageError) as caught:
            parse_edit(text)
        assert message in str(caught.value)
        assert isinstance(caught.value, (UnknownName, ConfigError, UsageError))

    def test_the_label_parses_into_itself(self) -> None:
        assert parse_edit(SPEC.label) == SPEC
        assert parse_edit("ft").label == "ft"

    def test_layer_out_of_range(self, model: Any) -> None:
        spec: Any = parse_edit("ft:layer=3")
        with (
            pytest.raises(UsageError, match=r"layer 3 is out of range: .* has layers 0 to 2"),
            edited(model, spec, [REQUEST]),
        ):
            pass

    def test_no_request(self, model: Any) -> None:
        with pytest.raises(UsageError, match="no request"), edited(model, SPEC, []):
            pass

    def test_an_edit_that_changes_no_weight(self, model: Any) -> None:
        spec: Any = parse_edit("ft:lr=0")
        with pytest.raises(ModelError, match="changed no weight"), edited(model, spec, [REQUEST]):
            pass
        assert model.load().edits == []

    def test_an_edit_that_diverges(self, model: Any) -> None:
        name = "model.layers.1.mlp.down_proj.weight"
        change = WeightChange({name: torch.full((16, 32), torch.nan)})
        with pytest.raises(ModelError, match="diverged"), change.installed(Access(model)):
            pass

    def test_a_model_without_weights(self) -> None:
        with pytest.raises(UsageError, match="'oracle' has no weights to edit"):
            require_weights(open_backend("oracle"), "ft")

    def test_a_model_without_the_modules(self, model: Any) -> None:
        access = Access(model)
        access.layers = [torch.nn.Linear(1, 1)]
        with pytest.raises(ModelError, match="has no down-projection under"):
            access.projection(0)


def test_a_row_is_answered_alike_alone_and_in_a_batch(model: Any) -> None:
    with edited(model, SPEC, [REQUEST]) as repaired:
        rows = [row(PROMPT), row("x")]
        together = repaired.generate(rows, SAMPLING)
        assert together == [repaired.generate([each], SAMPLING)[0] for each in rows]
