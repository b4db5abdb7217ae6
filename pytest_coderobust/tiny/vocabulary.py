"""The tokenizer: byte-level BPE learned from the training text, with digits as single tokens.

Prompt and answer are encoded separately, because a completion begins after the prompt's last token.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
from tokenizers.trainers import BpeTrainer

from pytest_coderobust.tiny.network import write_json

END = "<|end|>"
PAD = "<|pad|>"

_SETTINGS = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "eos_token": END,
    "bos_token": END,
    "pad_token": PAD,
    "padding_side": "left",
    "clean_up_tokenization_spaces": False,
}


def learn(texts: Iterable[str], size: int) -> Tokenizer:
    """Learns a tokenizer of `size` tokens; the same texts give the same tokenizer."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = Sequence(
        [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=size,
        special_tokens=[END, PAD],
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def save(tokenizer: Tokenizer, folder: Path, context: int) -> None:
    """Writes tokenizer.json, and the settings that AutoTokenizer reads."""
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {**_SETTINGS, "model_max_length": context}
    write_json(folder / "tokenizer_config.json", settings)
    named = {key: _SETTINGS[key] for key in ("bos_token", "eos_token", "pad_token")}
    write_json(folder / "special_tokens_map.json", named)
