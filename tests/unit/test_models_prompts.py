"""Prompts as the network sees them: bare, in a template of one's own, or as a chat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from support.models_checkpoints import (
    PROMPT,
    backend,
    byte_level,
    llama,
    row,
    save,
    save_random,
    wrap,
)

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.thought_tags import decode
from pytest_coderobust.records import Sampling

pytestmark = pytest.mark.usefixtures("one_thread")

TEMPLATE = (
    "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}[/]{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)


@pytest.fixture
def chatty(tmp_path: Path) -> Path:
    tokenizer = wrap(byte_level())
    tokenizer.chat_template = TEMPLATE
    return save(tmp_path / "chat", llama(tokenizer), tokenizer)


def shown(model: Any, prompt: str, language: str = "python") -> str:
    """Text that the network gets for a prompt."""
    network = model.load().model
    forward = network.forward
    seen: list[list[int]] = []

    def looking(input_ids: torch.Tensor, **options: Any) -> Any:
        seen.append(input_ids[0].tolist())
        return forward(input_ids=input_ids, **options)

    network.forward = looking
    model.generate([row(prompt, language=language)], Sampling(max_new_tokens=1))
    return decode(model.tokenizer, seen[0])


def test_a_template_in_the_tokenizer_decides_nothing(chatty: Path) -> None:
    assert shown(backend(chatty), PROMPT) == PROMPT


def test_chat_when_asked_for(chatty: Path) -> None:
    prompt = shown(backend(chatty, chat=True), PROMPT)
    assert prompt.startswith("[user]Complete the following python function.")
    assert f"```python\n{PROMPT}\n```[/][assistant]" in prompt


def test_a_template_of_ones_own_keeps_braces(chatty: Path) -> None:
    model = backend(chatty, template="# {language}\n{prompt}# end")
    assert shown(model, "x = {prompt} {0}\n", "java") == "# java\nx = {prompt} {0}\n# end"


def test_chat_without_a_chat_template_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="its tokenizer has no chat template"):
        backend(save_random(tmp_path), chat=True).generate([row(PROMPT)], Sampling())
