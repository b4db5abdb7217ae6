"""A folder with a LoRA adapter opens as its base with the adapter on top, unmerged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from pytest_coderobust.editors.identity import require_weights
from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.models.folders import TRAINING_FILE
from pytest_coderobust.models.options import ModelSpec
from pytest_coderobust.models.quiet import quiet
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.records import Sampling
from tests.support.models_checkpoints import PROMPT, backend, row, save, save_random, wrap
from tests.support.models_checkpoints import byte_level as make_tokenizer

peft = pytest.importorskip("peft")
SAMPLING = Sampling(max_new_tokens=16)


def save_adapter(folder: Path, base: Path, seed: int = 1, merged: Path | None = None) -> Path:
    """An adapter with random weights, which changes every answer."""
    from transformers import AutoModelForCausalLM

    with quiet():
        model: Any = AutoModelForCausalLM.from_pretrained(base)
        settings = peft.LoraConfig(
            r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"
        )
        wrapped = peft.get_peft_model(model, settings)
        torch.manual_seed(seed)
        for name, parameter in wrapped.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.3)
        wrapped.save_pretrained(folder)
        if merged is not None:
            save(merged, wrapped.merge_and_unload(), wrap(make_tokenizer()))
    return folder


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return save_random(tmp_path / "base")


@pytest.fixture
def adapter(tmp_path: Path, base: Path) -> Path:
    return save_adapter(tmp_path / "adapter", base, merged=tmp_path / "merged")


def change(folder: Path, **settings: object) -> None:
    file = folder / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **settings}))


def answer(folder: Path) -> str:
    return str(backend(folder).generate([row(PROMPT)], SAMPLING)[0].text)


def test_it_answers_as_the_merged_model_does_and_not_as_the_base(
    tmp_path: Path, base: Path, adapter: Path
) -> None:
    assert answer(adapter) == answer(tmp_path / "merged") != answer(base)
    opened = backend(adapter)
    loaded = opened.load()
    assert type(loaded.model).__name__ == "LlamaForCausalLM"
    assert "lora_A" in " ".join(name for name, _ in loaded.model.named_modules())
    assert opened.identity.facts["adapter"]
    assert "adapter" not in backend(base).identity.facts


def test_adapter_base_and_tokenizer_are_all_part_of_the_identity(
    tmp_path: Path, base: Path, adapter: Path
) -> None:
    other = save_adapter(tmp_path / "other", base, seed=2)
    digests = {
        backend(each).identity.digest for each in (base, adapter, other, tmp_path / "merged")
    }
    assert len(digests) == 4
    moved = Path(shutil.copytree(base, tmp_path / "moved"))
    same = backend(adapter).identity.digest
    names = json.loads((adapter / "adapter_config.json").read_text())["target_modules"]
    change(adapter, base_model_name_or_path=str(moved), target_modules=names[::-1])
    assert backend(adapter).identity.digest == same
    change(adapter, lora_alpha=9)
    assert backend(adapter).identity.digest != same


def test_a_base_beside_its_adapter_may_be_named_from_there(
    tmp_path: Path, base: Path, adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = answer(adapter)
    change(adapter, base_model_name_or_path="../base")
    monkeypatch.chdir(base)
    assert answer(adapter) == wanted


def test_a_half_precision_base_keeps_its_precision(tmp_path: Path) -> None:
    base = save_random(tmp_path / "half", dtype=torch.bfloat16)
    with quiet():
        from transformers import AutoModelForCausalLM

        model: Any = AutoModelForCausalLM.from_pretrained(base)
        model.to(torch.bfloat16).save_pretrained(base)
    opened = backend(save_adapter(tmp_path / "adapter", base))
    parameters = {name: p.dtype for name, p in opened.load().model.named_parameters()}
    assert {dtype for name, dtype in parameters.items() if "lora" in name} == {torch.float32}
    assert {dtype for name, dtype in parameters.items() if "lora" not in name} == {torch.bfloat16}
    assert opened.identity.facts["dtype"] == "bfloat16"
    opened.generate([row(PROMPT)], SAMPLING)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"base_model_name_or_path": "/gone/base"}, "the base of its adapter, '/gone/base', is not there; write its folder or hub id into base_model_name_or_path of"),
        ({"base_model_name_or_path": None}, "the base of its adapter, '', is not there"),
        ({"base_model_name_or_path": "."}, "is an adapter itself; merge that one into a model first"),
        ({"base_model_name_or_path": "org/base"}, "org/base cannot be downloaded"),
        ({"peft_type": "IA3\n"}, "an adapter of the kind 'IA3\\n'; only LoRA adapters ('LORA') can be opened"),
        ({"megatron_config": {"a": 1}, "megatron_core": "antigravity"}, "its adapter sets 'megatron_config'"),
        ({"r": 5}, "cannot be loaded"),
        ({"target_modules": ["q_proj"]}, "has unknown tensors of its model (24, the first is"),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_is_said_in_one_sentence(
    adapter: Path, settings: dict[str, object], message: str
) -> None:
    change(adapter, **settings)
    with pytest.raises(ModelError) as error:
        backend(adapter).load()
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_name_of_ones_own_may_be_an_adapter(base: Path, adapter: Path) -> None:
    opened = open_backend("mine", known={"mine": ModelSpec(str(adapter))})
    assert opened.identity.digest == backend(adapter).identity.digest
    shutil.rmtree(base)
    with pytest.raises(ModelError, match="model 'mine': the base of its adapter"):
        open_backend("mine", known={"mine": ModelSpec(str(adapter))}).identity  # noqa: B018


def test_an_adapter_without_weights_is_refused(adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"has no adapter_model\.safetensors"):
        backend(adapter).load()


def test_a_base_that_changed_since_the_training_is_refused(
    tmp_path: Path, base: Path, adapter: Path
) -> None:
    weights = backend(base).identity.facts["weights"]
    facts: dict[str, Any] = {"base": {"name": "ours", "weights": weights + "0" * 52}}
    (adapter / TRAINING_FILE).write_text(json.dumps(facts))
    with pytest.raises(ModelError, match=r"trained on other weights of 'ours' .* than those that"):
        backend(adapter).identity  # noqa: B018


def test_an_adapter_on_top_is_not_edited(adapter: Path) -> None:
    with pytest.raises(UsageError, match="is a base with an adapter on top; merge the two"):
        require_weights(backend(adapter), "ft")


@pytest.mark.parametrize("kind", ["base", "adapter"])
def test_the_template_of_a_training_is_the_models_own(
    tmp_path: Path, base: Path, adapter: Path, kind: str
) -> None:
    folder = tmp_path / kind
    plain = backend(folder)
    (folder / TRAINING_FILE).write_text(json.dumps({"template": "Q: {prompt}\nA: "}))
    tuned = backend(folder)
    assert tuned.encode("x", "python") == plain.encode("Q: x\nA: ", "python")
    assert tuned.identity.digest != plain.identity.digest
    own = open_backend("mine", known={"mine": ModelSpec(str(folder), template="{prompt}!")})
    assert own.encode("x", "python") == plain.encode("x!", "python")
    named = open_backend("mine", known={"mine": ModelSpec(str(folder))})
    assert named.encode("x", "python") == tuned.encode("x", "python")
    (folder / TRAINING_FILE).write_text(json.dumps({"template": "{prompt}"}))
    assert backend(folder).identity.digest == plain.identity.digest


@pytest.mark.parametrize("text", ["{", '{"template": 3}', '{"template": "x"}', '{"chat": 1}'])
def test_a_damaged_file_of_a_training_is_refused(base: Path, text: str) -> None:
    (base / TRAINING_FILE).write_text(text)
    with pytest.raises(ModelError, match=r"coderobust-training\.json: "):
        backend(base)
