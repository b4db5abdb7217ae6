"""Fenced blocks of an answer, and the text without end markers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_coderobust.models.extraction.thoughts import find_answer
from pytest_coderobust.records.reading import AnswerReading

_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<ticks>`{3,}|~{3,})(?P<info>[^\n`]*)$", re.M)
_END = re.compile(
    r"<\|(?:endoftext|endofmask|im_end|end_of_text|eot_id|EOT|end|file_sep|fim_pad)\|>"
    r"|<\uff5cend\u2581of\u2581sentence\uff5c>|</s>\s*\Z"
)

Defines = Callable[[str], bool]
"""Says whether text defines the entry point at the margin."""


@dataclass(frozen=True, slots=True)
class Fenced:
    """A fenced block: the word behind its opening fence, and its text."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class AnswerCode:
    """The code of an answer.

    Attributes:
        text: the block that is the answer, or the text where no block is.
        before, after: the blocks around it, which may hold its helpers.
    """

    text: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def clean_answer(completion: str, reading: AnswerReading) -> str | None:
    """Takes the answer without thoughts and end markers; None where a thought never ends."""
    # Python ends a line at each of the three, inside strings too.
    text = completion.replace("\r\n", "\n").replace("\r", "\n")
    answer = find_answer(text, reading.reasoning)
    if answer is None:
        return None
    found = _END.search(answer)
    return answer[: found.start()] if found else answer


def find_code(text: str, defines: Defines, reading: AnswerReading) -> AnswerCode:
    """Finds the code of a clean answer: a continuation stays as it is, else a fence's content.

    Of the blocks that define the entry point, `reading.block` says which one counts.
    """
    fences = list(_FENCE.finditer(text))
    begins = bool(fences) and not text[: fences[0].start()].strip()
    if is_indented(text) and not begins:
        # A continuation: a fence at the margin ends it, an indented one belongs to a docstring.
        return AnswerCode(next((text[: f.start()] for f in fences if not f["indent"]), text))
    if not fences:
        return AnswerCode(text)
    lead = text[: fences[0].start()]
    if defines(lead) or _closes(fences, text, defines):
        return AnswerCode(lead)
    blocks = [block.text for block in take_blocks(text, fences)]
    defining = [place for place, block in enumerate(blocks) if defines(block)]
    if defining:
        place = defining[0 if reading.block == "first" else -1]
        return AnswerCode(blocks[place], tuple(blocks[:place]), tuple(blocks[place + 1 :]))
    return AnswerCode(next((block for block in blocks if block.strip()), text))


def list_blocks(text: str) -> list[Fenced]:
    """Lists the fenced blocks of a clean answer."""
    return take_blocks(text, list(_FENCE.finditer(text)))


def is_indented(text: str) -> bool:
    """Whether the first line that is not blank has an indent."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    return first[:1] in (" ", "\t")


def _closes(fences: Sequence[re.Match[str]], text: str, defines: Defines) -> bool:
    """Whether the first fence closes one that the prompt opened."""
    first = fences[0]
    return (
        len(fences) % 2 == 1
        and not first["info"].strip()
        and bool(text[: first.start()].strip())
        and not defines(text[first.end() :])
    )


def take_blocks(text: str, fences: Sequence[re.Match[str]]) -> list[Fenced]:
    """Takes the fenced blocks between these fences; one that is never closed runs to the end."""
    blocks: list[Fenced] = []
    opening: re.Match[str] | None = None
    for fence in fences:
        if opening is None:
            opening = fence
        elif fence["ticks"].startswith(opening["ticks"]) and not fence["info"].strip():
            blocks.append(_take_block(text, opening, fence.start()))
            opening = None
    if opening is not None:
        blocks.append(_take_block(text, opening, len(text)))
    return blocks


def _take_block(text: str, opening: re.Match[str], end: int) -> Fenced:
    """Takes a block without the indent of its fence (a fence may be part of a list item)."""
    indent = opening["indent"]
    lines = text[opening.end() + 1 : end].split("\n")
    words = opening["info"].lower().split()
    return Fenced(words[0] if words else "", "\n".join(line.removeprefix(indent) for line in lines))
