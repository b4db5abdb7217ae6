"""The rows that a model is asked, and the completions it writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_coderobust.records.variant import Variant

Finish = Literal["eos", "stop", "length", "recorded", "program", "cut program", "refused"]
"""The end of a completion. "program" and "cut program" are of a recorded program that stands for
itself; "refused" has no text: the server would not answer, and the row counts as unsolved."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """The way completions are drawn; `temperature` 0 is greedy decoding."""

    n: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    max_new_tokens: int = 512
    stop: tuple[str, ...] = ()
    seed: int = 0

    @property
    def greedy(self) -> bool:
        return self.temperature == 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One completion that is wanted: a variant's prompt and a sample index.

    Attributes:
        noise: seeds the row's own random generator, so that a row's sample does not depend
            on its batch mates (derived from the completion's key without its batch).
        tags: the opening and the closing tag of thoughts that its suite adds to the known ones.
    """

    variant: Variant
    sample: int
    noise: int
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """The text that the model wrote after the prompt, unaltered.

    Attributes:
        tokens: tokens written, 0 where that is not known.
        thought_tokens: those of them that belong to thoughts, closing tags included.
        opened: the thought's opening tag that the end of the prompt had written already, or "".
    """

    text: str
    finish: Finish
    tokens: int = 0
    thought_tokens: int = 0
    opened: str = ""

    @property
    def answer(self) -> str:
        """The text that solutions are read from: a thought that the prompt opened begins in it."""
        return self.opened + self.text

    @property
    def truncated(self) -> bool:
        """The token limit ended it; a wrong answer may only be an unfinished one."""
        return self.finish in ("length", "cut program")

    @property
    def refused(self) -> bool:
        """The model's server would not give an answer."""
        return self.finish == "refused"

    @property
    def whole(self) -> bool:
        """It was recorded as a whole program, and does not follow the prompt."""
        return self.finish in ("program", "cut program")
