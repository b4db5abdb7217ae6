"""Small real checkpoints: a Llama under a byte-level and a SentencePiece tokenizer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.quiet import quiet
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.records import Cell, Row, Task, Tests, Variant

PROMPT = 'def twice(x):\n    """Double it."""\n'
BODY = "    if x:\n        return 2 * x\n    return 0\n"
REST = "\n\ndef other():\n    pass\n"
OTHER = "import os\n"
OTHER_BODY = "\n\nassert other\nprint(1)\n"

TASK = Task("Toy/0", PROMPT, "twice", Tests("", "asserts"), BODY)


def row(prompt: str, sample: int = 0, noise: int = 0, language: str = "python") -> Row:
    task = Task("Toy/0", prompt, "twice", Tests("", "asserts"), language=language)  # type: ignore[arg-type]
    return Row(Variant(task, Cell(), prompt), sample, noise)


def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<s>", "</s>"],
    )
    tokenizer.train_from_iterator([PROMPT + BODY + REST] * 3, trainer)
    return tokenizer


def sentence_piece() -> Tokenizer:
    """As Llama 2's: spaces are ▁, one is put in front of a text and taken off when decoding."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    words = ["▁", "▁▁", "▁▁▁▁", "▁return", "▁def", "def", "return", *map(chr, range(33, 127))]
    vocabulary = [(piece, 0.0 if place < 3 else -10.0) for place, piece in enumerate(pieces)]
    vocabulary += [(word, -1.0 - 1 / len(word)) for word in words]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return tokenizer


TOKENIZERS = {"byte-level": byte_level, "sentence-piece": sentence_piece}


def wrap(tokenizer: Tokenizer, **options: Any) -> Any:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **{"bos_token": "<s>", "eos_token": "</s>", **options}
    )


def llama(tokenizer: Any, *, seed: int = 0, window: int = 256, **config: Any) -> Any:
    torch.manual_seed(seed)
    sizes = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "initializer_range": 0.3,
    }
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            max_position_embeddings=window,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            **{**sizes, **config},
        )
    )


def save(folder: Path, model: Any, tokenizer: Any) -> Path:
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def save_random(folder: Path, *, kind: str = "byte-level", **config: Any) -> Path:
    tokenizer = wrap(TOKENIZERS[kind]())
    return save(folder, llama(tokenizer, **config), tokenizer)


def continued(tokenizer: Any, prompt: str, text: str) -> tuple[list[int], list[int]]:
    """The ids of a prompt, and of the prompt with its text behind it."""
    head, whole = tokenizer(prompt)["input_ids"], tokenizer(prompt + text)["input_ids"]
    if whole[: len(head)] != head:  # a token spans the seam; the model would never write it
        whole = head + tokenizer(text, add_special_tokens=False)["input_ids"]
    return head, whole


def save_memorised(
    folder: Path, kind: str, texts: Iterable[tuple[str, str]], special: Sequence[str] = ()
) -> Path:
    """A model trained until it continues each prompt with its text, then ends."""
    tokenizer = wrap(TOKENIZERS[kind]())
    tokenizer.add_tokens([AddedToken(tag, special=True) for tag in special])
    model = llama(tokenizer, initializer_range=0.1, hidden_size=48)
    pairs = [continued(tokenizer, *text) for text in texts]
    width = max(len(ids) for _, ids in pairs) + 1
    inputs = torch.zeros(len(pairs), width, dtype=torch.long)
    labels = torch.full((len(pairs), width), -100)
    for place, (head, ids) in enumerate(pairs):
        whole = torch.tensor([*ids, tokenizer.eos_token_id])
        inputs[place, : len(whole)] = whole
        labels[place, len(head) : len(whole)] = whole[len(head) :]
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(400):
        loss = model(input_ids=inputs, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < 5e-3:
            break
    assert loss.item() < 5e-3, "the toy model did not learn its text"
    return save(folder, model.eval(), tokenizer)


def backend(folder: Path, **options: Any) -> Any:
    return open_backend(str(folder), options=ModelOptions(**options))
