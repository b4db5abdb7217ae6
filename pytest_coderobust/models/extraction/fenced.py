"""Fenced blocks of a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<ticks>`{3,}|~{3,})(?P<info>[^\n`]*)$", re.M)


@dataclass(frozen=True, slots=True)
class Fenced:
    """A fenced block: the word behind its opening fence, its text, and its place in the answer."""

    language: str
    text: str
    start: int = 0
    end: int = 0


def find_fences(text: str) -> list[re.Match[str]]:
    """Finds every fence of a text, opening and closing ones alike."""
    return list(_FENCE.finditer(text))


def list_blocks(text: str) -> list[Fenced]:
    """Lists the fenced blocks of a clean answer."""
    return take_blocks(text, find_fences(text))


def take_blocks(text: str, fences: Sequence[re.Match[str]]) -> list[Fenced]:
    """Takes the fenced blocks between these fences; one that is never closed runs to the end."""
    blocks: list[Fenced] = []
    opening: re.Match[str] | None = None
    for fence in fences:
        if opening is None:
            opening = fence
        elif fence["ticks"].startswith(opening["ticks"]) and not fence["info"].strip():
            blocks.append(_take_block(text, opening, fence.start(), fence.end()))
            opening = None
    if opening is not None:
        blocks.append(_take_block(text, opening, len(text), len(text)))
    return blocks


def _take_block(text: str, opening: re.Match[str], end: int, after: int) -> Fenced:
    """Takes a block without the indent of its fence (a fence may be part of a list item)."""
    indent = opening["indent"]
    lines = text[opening.end() + 1 : end].split("\n")
    words = opening["info"].lower().split()
    code = "\n".join(line.removeprefix(indent) for line in lines)
    return Fenced(words[0] if words else "", code, opening.start(), after)
