"""Code of an answer without the chat around it: fences, reasoning and end markers go."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<ticks>`{3,}|~{3,})(?P<info>[^\n`]*)$", re.M)
_END = re.compile(
    r"<\|(?:endoftext|endofmask|im_end|end_of_text|eot_id|EOT|end|file_sep|fim_pad)\|>"
    r"|<\uff5cend\u2581of\u2581sentence\uff5c>|</s>\s*\Z"
)


def strip_chat(text: str, defines: re.Pattern[str]) -> str:
    """Strips the chat from an answer: a continuation stays as it is, else the fences' content.

    Args:
        defines: matches the line that defines the entry point at the margin.
    """
    # Python ends a line at each of the three, inside strings too.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _without_end(_without_reasoning(text))
    fences = list(_FENCE.finditer(text))
    if is_indented(text):
        # A continuation: a fence at the margin ends it, an indented one belongs to a docstring.
        return next((text[: fence.start()] for fence in fences if not fence["indent"]), text)
    if not fences:
        return text
    lead = text[: fences[0].start()]
    if defines.search(lead) or _closes(fences, text, defines):
        return lead
    blocks = _blocks(text, fences)
    # Blocks before the one that defines the entry point may hold its helpers; blocks after it
    # show how to use it.
    for place, block in enumerate(blocks):
        if defines.search(block):
            return "\n".join(blocks[: place + 1])
    return next((block for block in blocks if block.strip()), text)


def _without_reasoning(text: str) -> str:
    """Cuts off the model's thoughts, where it shows them."""
    head, tag, tail = text.rpartition("</think>")
    return tail.lstrip("\n") if tag and "<think>" in head[:200] else text


def _without_end(text: str) -> str:
    """Cuts the text at an end marker that a recorder left in."""
    found = _END.search(text)
    return text[: found.start()] if found else text


def is_indented(text: str) -> bool:
    """Whether the first line that is not blank has an indent."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    return first[:1] in (" ", "\t")


def _closes(fences: Sequence[re.Match[str]], text: str, defines: re.Pattern[str]) -> bool:
    """Whether the first fence closes one that the prompt opened."""
    first = fences[0]
    return (
        len(fences) % 2 == 1
        and not first["info"].strip()
        and bool(text[: first.start()].strip())
        and not defines.search(text, first.end())
    )


def _blocks(text: str, fences: Sequence[re.Match[str]]) -> list[str]:
    """Contents of the fenced blocks; one that is never closed runs to the end."""
    blocks: list[str] = []
    opening: re.Match[str] | None = None
    for fence in fences:
        if opening is None:
            opening = fence
        elif fence["ticks"].startswith(opening["ticks"]) and not fence["info"].strip():
            blocks.append(_block(text, opening, fence.start()))
            opening = None
    if opening is not None:
        blocks.append(_block(text, opening, len(text)))
    return blocks


def _block(text: str, opening: re.Match[str], end: int) -> str:
    """Takes a block without the indent of its fence (a fence may be part of a list item)."""
    indent = opening["indent"]
    lines = text[opening.end() + 1 : end].split("\n")
    return "\n".join(line.removeprefix(indent) for line in lines)
