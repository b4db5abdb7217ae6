"""Training rows as token ids: the prompt as generation sends it, the answer, and its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_coderobust.errors import DataError, ModelError
from pytest_coderobust.models.hf import HFBackend
from pytest_coderobust.models.prompts import clean_text, render, tokenize
from pytest_coderobust.training.example import TrainingExample
from pytest_coderobust.training.material import Material

IGNORED = -100
"""The label of a token that the loss leaves out."""
_ANCHORS = (":", "\n")
LANGUAGE = "python"
"""The language of a row in a template: rows do not say theirs."""


@dataclass(frozen=True, slots=True)
class EncodedExample:
    """Token ids of a row, and the number of them that are its prompt."""

    ids: tuple[int, ...]
    prompt: int

    @property
    def labels(self) -> tuple[int, ...]:
        """The ids with the prompt's left out."""
        return (IGNORED,) * self.prompt + self.ids[self.prompt :]


def encode_material(
    material: Material, backend: HFBackend, most: int
) -> tuple[tuple[EncodedExample, ...], int]:
    """Encodes rows; returns them, and the number of those that were longer than `most` tokens.

    Raises:
        DataError: no row is short enough.
        ModelError: the tokenizer has no end token, or no chat template for messages.
    """
    found = [encode_example(example, backend) for example in material.examples]
    kept = tuple(each for each in found if len(each.ids) <= most)
    if not kept:
        raise DataError(
            f"{material.name}: there is no row to train on: all {len(found)} have more than "
            f"{most} tokens; --max-tokens allows more"
        )
    return kept, len(found) - len(kept)


def encode_example(example: TrainingExample, backend: HFBackend) -> EncodedExample:
    """Encodes a row.

    The prompt's ids are those that generation would send. A tokenizer given both texts at once
    may join the end of the prompt and the beginning of the answer into a token that generation
    never meets; the answer is then encoded apart.
    """
    tokenizer = backend.tokenizer
    end = tokenizer.eos_token_id
    if end is None:
        raise ModelError(f"model {backend.name!r}: its tokenizer has no end token to train on")
    spec = replace(backend.spec, chat=backend.spec.chat or example.is_chat)
    if example.is_chat:
        shown = _write_chat(example, backend)
    else:
        prompt = str(example.write_prompt(example.texts))
        shown = render(prompt, LANGUAGE, spec, tokenizer)
    head = tokenize(shown, spec, tokenizer)
    whole = tokenize(shown + example.answer, spec, tokenizer)
    joined = [whole[len(head) :]] if whole[: len(head)] == head else []
    answer = _choose(
        [*joined, *_encode_apart(clean_text(example.answer), tokenizer)], head, example, tokenizer
    )
    while answer and answer[-1] == end:  # some tokenizers end every text
        answer.pop()
    return EncodedExample((*head, *answer, end), len(head))


def _choose(
    candidates: Sequence[list[int]], head: list[int], example: TrainingExample, tokenizer: Any
) -> list[int]:
    """Chooses the first ids that say the answer behind the prompt, as a completion is read.

    A tokenizer that changes texts (their case, their accents) has none; the first then count.
    """
    shown = tokenizer.decode(head, clean_up_tokenization_spaces=False)
    for ids in candidates:
        text = tokenizer.decode([*head, *ids], clean_up_tokenization_spaces=False)
        if text[len(shown) :] == example.answer:
            return ids
    return candidates[0]


def _encode_apart(answer: str, tokenizer: Any) -> list[list[int]]:
    """Encodes an answer alone, and behind a character: some tokenizers put a blank first."""

    def encode(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    found = [encode(answer)]
    for anchor in _ANCHORS:
        before, both = encode(anchor), encode(anchor + answer)
        if both[: len(before)] == before:
            found.append(both[len(before) :])
    return found


def _write_chat(example: TrainingExample, backend: HFBackend) -> str:
    """Writes the messages of a prompt through the chat template, up to the answer."""
    tokenizer = backend.tokenizer
    if not getattr(tokenizer, "chat_template", None):
        raise ModelError(
            f"model {backend.name!r}: the rows are messages, and its tokenizer has no chat "
            "template; rows of prompt and completion need none"
        )
    messages = example.write_prompt(example.texts)
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))


def pad(rows: Sequence[EncodedExample], token: int) -> dict[str, list[list[int]]]:
    """Pads rows on the right to the longest: ids, attention mask and labels, (rows, length)."""
    width = max(len(row.ids) for row in rows)
    return {
        "input_ids": [[*row.ids, *[token] * (width - len(row.ids))] for row in rows],
        "attention_mask": [[1] * len(row.ids) + [0] * (width - len(row.ids)) for row in rows],
        "labels": [[*row.labels, *[IGNORED] * (width - len(row.ids))] for row in rows],
    }
