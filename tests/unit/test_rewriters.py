"""Rewriters: Apertium where it is installed, sequence-to-sequence models from a small checkpoint."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from coderobust_strategies.prompt.protection import protected_spans
from pytest_coderobust.config.suite import read_suite
from pytest_coderobust.engine.plan import Plan, read_plan
from pytest_coderobust.engine.variants import make_variant
from pytest_coderobust.rewriters.apertium import Apertium
from pytest_coderobust.rewriters.rewriter import Paragraph
from pytest_coderobust.rewriters.seq2seq import Seq2Seq

HOSTILE = (
    'Return the list of x_mean < b & 3.5 values, "two words" first; </p><p id="0"> stays.',
    "Check the numbers",
    "Is it a prime number?",
)
TASK = {
    "task_id": "Own/0",
    "prompt": (
        'def first_prime(numbers):\n    """Return the first prime number of numbers that is\n'
        '    larger than 10, else False.\n    >>> first_prime([4, 11])\n    11\n    """\n'
    ),
    "entry_point": "first_prime",
    "canonical_solution": "    return 11\n",
    "test": "def check(candidate):\n    assert candidate([11]) == 11\n",
}


def paragraph(text: str) -> Paragraph:
    return Paragraph(text, protected_spans(text, {"numbers"}))


def plan(folder: Path, rewriter: str) -> Plan:
    (folder / "tasks.jsonl").write_text(json.dumps(TASK))
    path = folder / "s.toml"
    path.write_text(
        '[suite]\ntasks = "tasks.jsonl"\nperturbations = ["S1", "mix_all"]\ndamaged = "keep"\n'
        f'[rewriters]\nS1 = "{rewriter}"\n'
    )
    return read_plan(read_suite(path))


@pytest.fixture(scope="module")
def spanish() -> Apertium:
    if shutil.which("apertium") is None:
        pytest.skip("Apertium is not installed (apt install apertium-eng-spa)")
    return Apertium("spa")


def test_apertium_keeps_protected_text_line_ends_and_the_number_of_paragraphs(
    spanish: Apertium,
) -> None:
    asked = [paragraph(text) for text in HOSTILE]
    answers = spanish.rewrite(asked)
    assert len(answers) == 3
    for text in ("x_mean < b", "3.5", '"two words"', '</p><p id="0">'):
        assert text in answers[0]
    assert [answer[-1] for answer in answers] == [".", answers[1][-1], "?"]
    assert answers[1][-1].isalpha()
    assert "numbers" in answers[1]
    assert answers[2] != HOSTILE[2]
    assert not any("apertium" in answer or "\n" in answer for answer in answers)
    # the same alone as among others
    assert spanish.rewrite([asked[1]]) == [answers[1]]
    assert spanish.rewrite([]) == []


def test_apertium_in_a_suite_changes_prose_alone_and_is_called_lossy(
    spanish: Apertium, tmp_path: Path
) -> None:
    made = plan(tmp_path, "apertium")
    assert made.notes == (
        (
            "S1 is made by apertium, which is lossy: its English is poor, so its variants may say "
            "something else"
        ),
    )
    variant = make_variant(made, made.tasks["Own/0"], made.cells[1])
    assert (variant.skipped, variant.damage) == ("", "")
    assert variant.prompt != TASK["prompt"]
    for kept in ("10", "False", "numbers", ">>> first_prime([4, 11])\n    11\n"):
        assert kept in variant.prompt
    assert len(spanish.digest) == 64


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sequence-to-sequence model with random weights over a dozen words."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import BartConfig, BartForConditionalGeneration, PreTrainedTokenizerFast

    words = ["Return", "the", "first", "prime", "number", "of", "numbers", "that", "is", "larger"]
    vocabulary = {
        word: index for index, word in enumerate(["<pad>", "<s>", "</s>", "<unk>", *words])
    }
    raw: Any = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    raw.pre_tokenizer = Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token="<pad>", bos_token="<s>", eos_token="</s>",
        unk_token="<unk>",
    )  # fmt: skip
    torch.manual_seed(0)
    config = BartConfig(
        vocab_size=len(vocabulary), d_model=16, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
        decoder_ffn_dim=16, max_position_embeddings=24, pad_token_id=0, bos_token_id=1,
        eos_token_id=2, decoder_start_token_id=1, forced_eos_token_id=2,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("seq2seq")
    model = BartForConditionalGeneration(config)
    model.generation_config.suppress_tokens = [0, 1, 3]
    model.generation_config.min_length = 6
    model.generation_config.max_length = None
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_a_model_answers_the_same_alone_and_among_others(checkpoint: Path) -> None:
    asked = [paragraph("Return the first prime number"), paragraph("the number is larger than 10")]
    answers = Seq2Seq(["there", str(checkpoint)], checkpoint.parent, allow_bin=False)
    rewriter = Seq2Seq([str(checkpoint)] * 2, Path.cwd(), allow_bin=False)
    together = rewriter.rewrite(asked)
    assert all(together)
    assert not any("<s>" in answer for answer in together)
    assert [rewriter.rewrite([each])[0] for each in asked] == together
    assert answers.batched is False


def test_a_models_digest_is_that_of_its_weights(checkpoint: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    other = tmp_path / "other"
    shutil.copytree(checkpoint, other)
    assert digest(other) == digest(checkpoint)
    weights = load_file(other / "model.safetensors")
    name = next(iter(weights))
    save_file({**weights, name: weights[name] + torch.ones(1)}, other / "model.safetensors")
    assert digest(other) != digest(checkpoint)


def digest(folder: Path) -> str:
    return Seq2Seq([str(folder)], Path.cwd(), allow_bin=False).digest


def test_a_models_answer_becomes_edits_of_a_suites_variant(
    checkpoint: Path, tmp_path: Path
) -> None:
    shutil.copytree(checkpoint, tmp_path / "model")
    made = plan(tmp_path, "transformers:model,./model")
    variant = make_variant(made, made.tasks["Own/0"], made.cells[1])
    assert not variant.skipped
    assert variant.edits
    assert variant.prompt.endswith(TASK["prompt"].partition(">>>")[2])
    assert variant.prompt == make_variant(made, made.tasks["Own/0"], made.cells[1]).prompt


def test_weights_that_are_no_safetensors_are_refused_without_allow_bin(
    checkpoint: Path, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file

    from pytest_coderobust.errors import ModelError

    folder = tmp_path / "bin"
    shutil.copytree(checkpoint, folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="no safetensors weights"):
        Seq2Seq([str(folder)], tmp_path, allow_bin=False).rewrite([paragraph("Return")])
    assert Seq2Seq([str(folder)], tmp_path, allow_bin=True).rewrite([paragraph("Return")])
