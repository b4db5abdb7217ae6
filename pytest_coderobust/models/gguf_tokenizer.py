"""Tokenizer of a GGUF file: transformers' reading of it, mended to give llama.cpp's token ids."""

from __future__ import annotations

import json
from typing import Any

from tokenizers import Tokenizer, pre_tokenizers

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.gguf import GgufHeader

_AS_GPT2 = frozenset(
    {"", "default", "gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "roberta-bpe"}
)
"""Values of `tokenizer.ggml.pre` that split text as GPT-2 does."""

_DIGITS_FIRST = frozenset(
    {"starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b"}
)
"""Values that split off every digit, and the rest as GPT-2 does."""


def mend_tokenizer(name: str, tokenizer: Any, header: GgufHeader) -> Any:
    """Makes transformers' tokenizer of a GGUF file split text as the file says.

    Raises:
        ModelError: the file's way to split is not known here, so that every prompt would get other
            tokens than the model was trained on.
    """
    backend = tokenizer.backend_tokenizer
    splitter = header.splitter
    if splitter in _DIGITS_FIRST:
        digits = pre_tokenizers.Digits(individual_digits=True)
        rest = pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.pre_tokenizer = pre_tokenizers.Sequence([digits, rest])
    elif splitter not in _AS_GPT2 and isinstance(backend.pre_tokenizer, pre_tokenizers.ByteLevel):
        raise ModelError(
            f"model {name!r}: its tokenizer splits text as {splitter!r}, which transformers cannot "
            "read from a GGUF file; serve the file with llama.cpp's server, and name the address"
        )
    return (
        tokenizer if len(tokenizer) <= header.vocabulary else _without_strangers(tokenizer, header)
    )


def _without_strangers(tokenizer: Any, header: GgufHeader) -> Any:
    """Takes out tokens that transformers added and the network has no row for."""
    table = json.loads(tokenizer.backend_tokenizer.to_str())
    known = [token for token in table["added_tokens"] if token["id"] < header.vocabulary]
    special = {
        word: token
        for word, token in tokenizer.special_tokens_map.items()
        if isinstance(token, str) and tokenizer.convert_tokens_to_ids(token) < header.vocabulary
    }
    from transformers import PreTrainedTokenizerFast

    make: Any = PreTrainedTokenizerFast
    mended = make(
        tokenizer_object=Tokenizer.from_str(json.dumps({**table, "added_tokens": known})), **special
    )
    mended.chat_template = tokenizer.chat_template
    return mended
