"""Trained weights against a loop written here, in float32 and from half precision; adapters."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from pytest_coderobust.errors import MissingExtra, UsageError
from pytest_coderobust.models.checkpoint import count_parameters, stored_dtype
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.quiet import quiet
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.records import Sampling
from pytest_coderobust.training.base import require_trainable
from pytest_coderobust.training.encoding import encode_material
from pytest_coderobust.training.settings import PRESETS, LoraSettings, TrainingSettings
from tests.support.models_checkpoints import PROMPT, backend, row, save, save_random
from tests.support.training_runs import ROWS, SETTINGS, make_material, read_weights, run

pytest.importorskip("accelerate")
WHOLE = replace(SETTINGS, rate=1e-2, epochs=3, batch=ROWS, accumulate=1, decay=0.1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random(tmp_path_factory.mktemp("base"), initializer_range=0.1)


def load(folder: Path) -> Any:
    with quiet():
        return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def train_by_hand(base: Path, settings: TrainingSettings) -> dict[str, torch.Tensor]:
    """AdamW on all rows in each step; the loss of the answers' tokens, and the rate falls to 0."""
    model = load(base)
    rows, _ = encode_material(make_material(), backend(base), 99)
    named = list(model.named_parameters())
    groups = [
        {"params": [p for n, p in named if p.dim() > 1], "weight_decay": settings.decay},
        {"params": [p for n, p in named if p.dim() == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=settings.rate, eps=1e-8)
    model.train()
    for step in range(settings.epochs):
        losses: list[torch.Tensor] = []
        for each in rows:
            ids = torch.tensor([each.ids])
            scores = model(input_ids=ids).logits[0, each.prompt - 1 : -1].log_softmax(-1)
            losses.append(-scores.gather(1, ids[0, each.prompt :, None])[:, 0])
        if settings.mean == "token":
            loss = torch.cat(losses).mean()
        else:
            loss = torch.stack([each.mean() for each in losses]).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * (1 - step / settings.epochs)
        optimizer.step()
    return {name: value.detach() for name, value in model.named_parameters()}


@pytest.mark.parametrize(
    "settings",
    [
        WHOLE,
        replace(WHOLE, batch=1, accumulate=ROWS, mean="sample"),
        replace(WHOLE, batch=3, accumulate=ROWS // 3),
        replace(WHOLE, clip=0.05),
    ],
    ids=["tokens", "samples", "accumulated", "clipped"],
)
def test_the_weights_are_those_of_a_loop_written_by_hand(
    base: Path, tmp_path: Path, settings: TrainingSettings
) -> None:
    run(base, tmp_path / "out", settings)
    trained, wanted = read_weights(tmp_path / "out"), train_by_hand(base, settings)
    start = read_weights(base)
    moved = max(float((wanted[name] - start[name]).abs().max()) for name in wanted)
    assert moved > 5e-3
    for name, value in wanted.items():
        assert torch.allclose(trained[name], value, atol=moved / 50), name


def test_the_two_means_of_the_loss_differ(base: Path) -> None:
    """Or the test above could not tell them apart."""
    tokens, samples = (
        train_by_hand(base, replace(WHOLE, mean=mean)) for mean in ("token", "sample")
    )
    assert any(float((tokens[name] - samples[name]).abs().max()) > 1e-3 for name in tokens)


@pytest.mark.parametrize("tied", [False, True])
def test_half_precision_is_trained_through_float32_masters(tmp_path: Path, tied: bool) -> None:
    base = save_random(tmp_path / "base", initializer_range=0.1, tie_word_embeddings=tied)
    half = tmp_path / "half"
    with quiet():
        model = load(base).to(torch.bfloat16)
        save(half, model, backend(base).tokenizer)
        save(tmp_path / "same", model.to(torch.float32), backend(base).tokenizer)
    settings = replace(SETTINGS, rate=1e-5)  # too small a step for bfloat16 to move by
    run(half, tmp_path / "half-out", settings)
    run(tmp_path / "same", tmp_path / "same-out", settings)
    trained = read_weights(tmp_path / "half-out")
    exact = read_weights(tmp_path / "same-out")
    assert {value.dtype for value in trained.values()} == {torch.bfloat16}
    assert trained.keys() == read_weights(half).keys()
    assert {value.dtype for value in exact.values()} == {torch.float32}
    for name, value in exact.items():
        assert torch.equal(trained[name], value.to(torch.bfloat16)), name
    facts = json.loads((tmp_path / "half-out" / "coderobust-training.json").read_text())
    assert facts["precision"] == {
        "trained": "float32", "products": "float32", "saved": "bfloat16", "base": "bfloat16",
    }  # fmt: skip
    assert backend(tmp_path / "half-out").identity.facts["dtype"] == "bfloat16"


def test_a_checkpoint_has_the_bases_own_files_and_answers(base: Path, tmp_path: Path) -> None:
    before = {file.name: file.read_bytes() for file in base.iterdir()}
    done = run(base, tmp_path / "out", replace(SETTINGS, epochs=6))
    after = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    changed = {name for name in before if after.get(name) != before[name]}
    assert changed == {"model.safetensors"}
    assert after.keys() - before.keys() == {"coderobust-training.json", "training-log.jsonl"}
    log = [json.loads(line) for line in after["training-log.jsonl"].decode().splitlines()]
    assert log[-1]["loss"] == done.loss < 0.5 * log[0]["loss"]
    facts = json.loads(after["coderobust-training.json"])
    assert facts["base"]["weights"][:12] == backend(base).identity.facts["weights"]
    told = {"name": "toy rows", "digest": "toy 12", "rows": 12, "perturbations": None}
    assert facts["data"] == told  # toy rows do not say what was perturbed in them
    assert facts["versions"]["transformers"]
    assert str(base) not in after["coderobust-training.json"].decode()
    sampling = Sampling(max_new_tokens=20)
    answers = [
        backend(each).generate([row(PROMPT)], sampling)[0].text for each in (base, tmp_path / "out")
    ]
    assert answers[0] != answers[1]


def test_an_adapter_is_opened_on_its_base_by_its_folder(base: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    settings = replace(SETTINGS, lora=LoraSettings(4, 8, 0.0), rate=2e-2)
    run(base, tmp_path / "out", settings)
    names = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert names == [
        "adapter_config.json", "adapter_model.safetensors", "coderobust-training.json",
        "training-log.jsonl",
    ]  # fmt: skip
    opened = backend(tmp_path / "out")
    sampling = Sampling(max_new_tokens=20)
    prompt = make_material().examples[3].texts[0]
    assert opened.generate([row(prompt)], sampling)[0].text != (
        backend(base).generate([row(prompt)], sampling)[0].text
    )
    assert opened.identity.facts["weights"] == backend(base).identity.facts["weights"]
    with pytest.raises(UsageError, match="is a base with an adapter on top; merge the two"):
        require_trainable(opened, SETTINGS)
    weights = base / "model.safetensors"
    kept = weights.read_bytes()
    try:
        save_random(base, seed=9)
        with pytest.raises(Exception, match="its adapter was trained on other weights of 'base"):
            backend(tmp_path / "out").identity  # noqa: B018
    finally:
        weights.write_bytes(kept)


def write_big(folder: Path, parameters: int, base: Path) -> Path:
    """A checkpoint whose header names so many parameters; the file has a hole in their place."""
    folder.mkdir()
    (folder / "config.json").write_bytes((base / "config.json").read_bytes())
    header = json.dumps(
        {"w": {"dtype": "F16", "shape": [parameters], "data_offsets": [0, 2 * parameters]}}
    ).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + 2 * parameters)
    return folder


def test_a_big_model_is_not_trained_whole_at_a_rate_that_ruins_it(
    base: Path, tmp_path: Path
) -> None:
    big = backend(write_big(tmp_path / "big", 100_000_001, base))
    small = backend(write_big(tmp_path / "small", 100_000_000, base))
    assert count_parameters(big.checkpoint) == 100_000_001
    assert count_parameters(backend(base).checkpoint) == backend(base).load().parameters
    assert stored_dtype(big.checkpoint) == "float32"
    high, low = replace(SETTINGS, rate=1e-4), replace(SETTINGS, rate=9e-5)
    with pytest.raises(UsageError) as error:
        require_trainable(big, high)
    assert "has 100 million parameters and unlearns at rates from 0.0001; use --lora" in str(
        error.value
    )
    for opened, settings in ((big, low), (small, high), (big, replace(high, lora=LoraSettings()))):
        assert require_trainable(opened, settings) is opened


def test_what_has_no_weights_is_not_trained() -> None:
    with pytest.raises(UsageError, match="model 'oracle' has no weights to train"):
        require_trainable(open_backend("oracle", options=ModelOptions()), SETTINGS)


def test_packed_weights_are_not_trained(base: Path, tmp_path: Path) -> None:
    packed = write_big(tmp_path / "packed", 10, base)
    settings = json.loads((packed / "config.json").read_text())
    packing = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (packed / "config.json").write_text(json.dumps({**settings, "quantization_config": packing}))
    with pytest.raises(UsageError, match="has packed weights, which no training moves; train the"):
        require_trainable(backend(packed), SETTINGS)


def test_a_missing_library_is_named_with_its_extra(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import metadata

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr("pytest_coderobust.training.base.version", missing)
    with pytest.raises(MissingExtra, match=r"pip install 'pytest-coderobust\[train\]'"):
        require_trainable(backend(base), SETTINGS)


def test_the_papers_preset_has_the_papers_numbers() -> None:
    preset = PRESETS["liu2026"].settings
    assert (preset.rate, preset.epochs, preset.batch, preset.accumulate) == (2e-5, 2, 1, 16)
    assert (preset.schedule, preset.warm, preset.decay, preset.clip) == ("linear", 0.0, 0.01, 1.0)
    assert (preset.max_tokens, preset.seed, preset.mean) == (1024, 42, "sample")
    tiny = PRESETS["tiny-robust"]
    assert tiny.rows is not None
    assert tiny.rows // (tiny.settings.batch * tiny.settings.accumulate) == 600
