"""One row of training data: a prompt in passages, some of which may change, and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PromptValue = str | list[dict[str, str]]
"""A prompt or completion as a file has it: a text, or messages with `role` and `content`."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a prompt.

    Attributes:
        role: the role of the message that it is; "" where the prompt is one text.
        prose: whether a perturbation may change it.
    """

    text: str
    role: str = ""
    prose: bool = True


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A row of training data.

    Attributes:
        passages: joined they are the prompt; or each is a message of it.
        answer: what the model learns to write; no perturbation changes it.
        entry_point: the function that the prompt asks for, or "" where the row does not say.
    """

    id: str
    passages: tuple[Passage, ...]
    answer: str
    entry_point: str = ""

    @property
    def is_chat(self) -> bool:
        """Whether prompt and answer are messages."""
        return any(passage.role for passage in self.passages)

    @property
    def texts(self) -> tuple[str, ...]:
        """The text of each passage."""
        return tuple(passage.text for passage in self.passages)

    def write_prompt(self, texts: Sequence[str]) -> PromptValue:
        """Writes the prompt with these texts in the place of the passages' own."""
        if not self.is_chat:
            return "".join(texts)
        return [
            {"role": passage.role, "content": text}
            for passage, text in zip(self.passages, texts, strict=True)
        ]

    def write_completion(self) -> PromptValue:
        """Writes the answer in the form of the prompt."""
        return [{"role": "assistant", "content": self.answer}] if self.is_chat else self.answer
