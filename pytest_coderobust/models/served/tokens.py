"""Tokens of prompts as a server's network gets them, where its tokenizer is known here."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from pytest_coderobust.models.options import ModelOptions, ModelSpec
from pytest_coderobust.models.prompts import render, tokenize


class PromptTokens:
    """The tokenizer of a folder; it is loaded when it is first asked, and its weights never.

    Args:
        name: the model's name as the user wrote it.
        spec: the template, and whether prompts go as a chat.
    """

    def __init__(self, name: str, folder: Path, spec: ModelSpec, options: ModelOptions) -> None:
        self._name = name
        self._folder = folder
        self._spec = spec
        self._options = options

    @cached_property
    def _tokenizer(self) -> Any:
        from pytest_coderobust.models.checkpoint import Checkpoint
        from pytest_coderobust.models.quiet import quiet

        with quiet():
            from pytest_coderobust.models.loaded_model import load_tokenizer
        return load_tokenizer(self._name, Checkpoint(self._folder, (), True), self._options)

    @property
    def bos(self) -> int | None:
        """Id of the token that texts begin with; None where the tokenizer has none."""
        found = self._tokenizer.bos_token_id
        return found if isinstance(found, int) else None

    @cached_property
    def lacks_bos(self) -> bool:
        """Whether the tokenizer's file asks for a BOS that the tokenizer does not put.

        A server that reads the file then puts one before texts, as llama.cpp does with a GGUF that
        was converted with it.
        """
        file = self._folder / "tokenizer_config.json"
        try:
            said = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        wants = isinstance(said, dict) and cast("dict[str, object]", said).get("add_bos_token")
        return wants is True and self.bos is not None and self.encode_text("x")[:1] != [self.bos]

    def encode(self, prompt: str, language: str) -> list[int]:
        """Turns a prompt into token ids, with its template and special tokens.

        Raises:
            ModelError: the tokenizer cannot be loaded, or has no chat template for a chat.
        """
        text = render(prompt, language, self._spec, self._tokenizer)
        return tokenize(text, self._spec, self._tokenizer)

    def encode_bare(self, text: str) -> list[int]:
        """Turns a text into token ids without any template or special token."""
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def encode_text(self, text: str) -> list[int]:
        """Turns a text into token ids, the chat's template around it where there is one."""
        bare = ModelSpec(self._spec.id, chat=self._spec.chat, template="{prompt}")
        return tokenize(render(text, "", bare, self._tokenizer), bare, self._tokenizer)
