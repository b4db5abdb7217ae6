"""The way an answer is read, where a suite or a user may choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AnswerBlock = Literal["first", "last"]


@dataclass(frozen=True, slots=True)
class AnswerReading:
    """The choices by which a solution is read from a model's answer.

    Attributes:
        block: which of several fenced blocks that define the entry point is the answer.
        reasoning: the opening and the closing tag of a model's thoughts, besides the known
            ones; empty, or both.
    """

    block: AnswerBlock = "last"
    reasoning: tuple[str, ...] = ()
