"""The code of an answer among its fenced blocks, and the text without end markers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_coderobust.models.extraction.blocks import is_python
from pytest_coderobust.models.extraction.choice import choose_block
from pytest_coderobust.models.extraction.fenced import find_fences, take_blocks
from pytest_coderobust.models.extraction.thoughts import find_answer
from pytest_coderobust.records import AnswerReading, Language

_END = re.compile(
    r"<\|(?:endoftext|endofmask|im_end|end_of_text|eot_id|EOT|end|file_sep|fim_pad)\|>"
    r"|<\uff5cend\u2581of\u2581sentence\uff5c>|</s>\s*\Z"
)

Defines = Callable[[str], bool]
"""Says whether text defines the entry point at the margin."""


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


def find_code(
    text: str, defines: Defines, reading: AnswerReading, language: Language = "python"
) -> AnswerCode:
    """Finds the code of a clean answer: a continuation stays as it is, else a fence's content.

    Of the blocks that define the entry point, `reading.block` says which one counts; those that are
    tagged as another language only where there is no other.
    """
    fences = find_fences(text)
    begins = bool(fences) and not text[: fences[0].start()].strip()
    # A fence at the margin ends bare code, an indented one belongs to a docstring.
    bare = next((text[: fence.start()] for fence in fences if not fence["indent"]), text)
    if (is_indented(text) and not begins) or not fences:
        return AnswerCode(bare)
    if fences[0]["indent"] and defines(bare) and is_python(bare):
        return AnswerCode(bare)
    lead = text[: fences[0].start()]
    if defines(lead) or _closes(fences, text, defines):
        return AnswerCode(lead)
    found = take_blocks(text, fences)
    blocks = [block.text for block in found]
    defining = [place for place, block in enumerate(blocks) if defines(block)]
    defining = [place for place in defining if not found[place].is_foreign(language)] or defining
    if defining:
        place = defining[0] if reading.block == "first" else choose_block(text, found, defining)
        return AnswerCode(blocks[place], tuple(blocks[:place]), tuple(blocks[place + 1 :]))
    return AnswerCode(next((block for block in blocks if block.strip()), text))


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
