"""Prompts as a model sees them: bare, in a template, or as a chat; and their tokens."""

from __future__ import annotations

from typing import Any

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.options import ModelSpec

CHAT_TEMPLATE = (
    "Complete the following {language} function. Answer with the whole function in one code "
    "block, without tests or examples.\n\n```{language}\n{prompt}\n```"
)
"""The user's message for a chat model whose spec has no template of its own."""


def template_of(spec: ModelSpec) -> str:
    """Finds the text around a prompt."""
    return spec.template or (CHAT_TEMPLATE if spec.chat else "{prompt}")


def fill_template(prompt: str, language: str, spec: ModelSpec) -> str:
    """Puts a prompt into the text around it."""
    # The prompt goes in last: it may hold braces of its own.
    return template_of(spec).replace("{language}", language).replace("{prompt}", prompt)


def clean_text(text: str) -> str:
    """Replaces lone surrogates, which no tokenizer and no server accepts, by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def render(prompt: str, language: str, spec: ModelSpec, tokenizer: Any) -> str:
    """Makes the text that the model continues.

    Raises:
        ModelError: chat is asked for, and the tokenizer has no chat template.
    """
    text = fill_template(prompt, language, spec)
    if not spec.chat:
        return text
    if not getattr(tokenizer, "chat_template", None):
        raise ModelError(
            f"{spec.id} is to be asked as a chat, but its tokenizer has no chat template; "
            "leave chat out to have it continue the prompt"
        )
    message = [{"role": "user", "content": text}]
    return str(tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True))


def tokenize(text: str, spec: ModelSpec, tokenizer: Any) -> list[int]:
    """Turns a rendered text into token ids.

    A chat template has written the special tokens already.
    """
    clean = clean_text(text)
    ids = list(tokenizer(clean, add_special_tokens=not spec.chat)["input_ids"])
    end = tokenizer.eos_token_id
    # Some tokenizers end every text with an end token, after which there is nothing to continue.
    while ids and ids[-1] == end and not clean.endswith(tokenizer.eos_token):
        ids.pop()
    starts = (tokenizer.bos_token_id, end, 0)
    return ids or [next(token for token in starts if token is not None)]
