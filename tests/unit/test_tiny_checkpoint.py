"""The bundled checkpoint is small, deep enough and loadable by name, and its card is true."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from pytest_coderobust.tiny import checkpoint_path
from pytest_coderobust.tiny.card import render
from pytest_coderobust.tiny.measurement import Figures, figures, measure
from pytest_coderobust.tiny.suite import TASKS_FILE
from pytest_coderobust.tiny.verify import compare

FOLDER = checkpoint_path()
LIMIT = 8 * 1024 * 1024


@cache
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(FOLDER)


@cache
def model() -> Any:
    return AutoModelForCausalLM.from_pretrained(FOLDER).eval()


def first_tasks(count: int) -> list[dict[str, str]]:
    return [json.loads(line) for line in TASKS_FILE.read_text().splitlines()[:count]]


def test_it_is_small_and_at_least_eight_layers_deep() -> None:
    assert (FOLDER / "model.safetensors").stat().st_size <= LIMIT
    assert model().config.num_hidden_layers >= 8
    assert type(model()).__name__ == "LlamaForCausalLM"
    assert model().dtype == torch.float32


def test_end_and_padding_are_named_everywhere() -> None:
    tokens = tokenizer()
    assert isinstance(tokens, PreTrainedTokenizerFast)
    assert tokens.pad_token != tokens.eos_token
    for config in (model().config, model().generation_config):
        assert config.eos_token_id == tokens.eos_token_id
        assert config.pad_token_id == tokens.pad_token_id
    assert len(tokens) == model().config.vocab_size


@given(st.text())
def test_any_text_survives_the_tokenizer(text: str) -> None:
    ids = tokenizer().encode(text, add_special_tokens=True)
    back = tokenizer().decode(ids, clean_up_tokenization_spaces=False)
    assert back == text


def test_digits_are_tokens_of_their_own() -> None:
    ids = tokenizer().encode("x > 128")
    assert [tokenizer().decode([i]) for i in ids][-3:] == ["1", "2", "8"]


def test_it_answers_and_ends() -> None:
    for task in first_tasks(3):
        inputs = tokenizer()(task["prompt"], return_tensors="pt", return_token_type_ids=False)
        with torch.no_grad():
            output = model().generate(**inputs, max_new_tokens=96)[0]
        assert int(output[-1]) == tokenizer().eos_token_id
        answer = tokenizer().decode(
            output[inputs["input_ids"].shape[1] :], skip_special_tokens=True
        )
        compile(task["prompt"] + answer, "<answer>", "exec")


def test_importing_the_package_loads_no_network_library() -> None:
    code = (
        "import sys, pytest_coderobust.tiny as t; t.checkpoint_path()\n"
        "print([m for m in ('torch', 'transformers', 'tokenizers', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_card_names_the_digests_of_the_files() -> None:
    card = (FOLDER / "README.md").read_text()
    for name in ("model.safetensors", "tokenizer.json"):
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() in card


@pytest.mark.slow
def test_the_card_says_what_a_fresh_run_measures() -> None:
    found = measure(FOLDER)
    assert (FOLDER / "README.md").read_text() == render(FOLDER, found)
    for name, drop in found.drops.items():
        assert drop >= 0.1, name
        assert drop <= 0.95 or name == "C3", name


@pytest.mark.slow
def test_nine_in_ten_tasks_of_seen_phrasing_are_solved() -> None:
    assert measure(FOLDER).passed["seen phrasing"] >= 0.9


def report(solved: set[int]) -> dict[str, Any]:
    rows = [json.loads(line) for line in TASKS_FILE.read_text().splitlines()]
    items = [
        {"task": r["task_id"], "condition": c, "status": "solved" if i in solved else "unsolved"}
        for i, r in enumerate(rows)
        for c in ("clean", "C1")
    ]
    return {"items": items, "metrics": {f"C{i}": {"rd": i / 10} for i in (1, 2, 3)}}


def test_figures_split_the_suite_by_its_tags() -> None:
    rows = [json.loads(line) for line in TASKS_FILE.read_text().splitlines()]
    unseen = {i for i, row in enumerate(rows) if "phrasing:unseen" in row["tags"]}
    found = figures(report(unseen))
    assert found.passed["unseen phrasing"] == 1.0
    assert found.passed["seen phrasing"] == 0.0
    assert found.overall == len(unseen) / len(rows)
    assert found.counts["all"] == len(rows)
    assert found.drops == {"C1": 0.1, "C2": 0.2, "C3": 0.3}


def test_the_card_shows_its_figures() -> None:
    parts = {"all": 0.875, "seen phrasing": 0.912, "unseen phrasing": 0.725, "library calls": 0.9}
    found = Figures(parts, dict.fromkeys(parts, 40), {"C1": 0.41, "C2": 0.32, "C3": 0.83})
    card = render(FOLDER, found)
    for shown in ("0.875", "0.912", "0.725", "0.410", "0.320", "0.830"):
        assert shown in card


@pytest.mark.parametrize(("fresh", "status"), [(0.90, 0), (0.915, 0), (0.87, 1), (0.93, 1)])
def test_models_agree_when_pass_at_1_is_within_a_fiftieth(
    fresh: float, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = (Figures({"all": value}, {"all": 200}, {"C1": 0.3}) for value in (0.9, fresh))
    assert compare(ours, theirs, Console()) == status
    assert ("differ" in capsys.readouterr().out) == bool(status)
