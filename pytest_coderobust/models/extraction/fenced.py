"""Fenced blocks of a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<ticks>`{3,}|~{3,})(?P<info>[^\n`]*)$", re.M)
_DEEPER = 3
"""Columns that a closing fence may be deeper than the one that it closes (CommonMark 0.31, 4.5)."""


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
    place, deep = 0, False
    while place < len(fences):
        opening, closing = fences[place], _find_closing(fences, place, deep)
        if closing is None and not deep:
            deep = True  # nothing from here on is closed as it should be
        elif closing is None:
            blocks.append(_take_block(text, opening, len(text), len(text)))
            break
        else:
            found = fences[closing]
            blocks.append(_take_block(text, opening, found.start(), found.end()))
            place = closing + 1
    return blocks


def _find_closing(fences: Sequence[re.Match[str]], place: int, deep: bool) -> int | None:
    """Finds the fence that closes one, as CommonMark has it; None for none.

    A deeper one belongs to the block, as in a docstring, but where the next block begins before
    one closes.

    Args:
        deep: whether deeper ones close too.
    """
    opening = fences[place]
    deepest = _measure_indent(opening) + _DEEPER
    deeper: int | None = None
    for number in range(place + 1, len(fences)):
        fence = fences[number]
        inside = _measure_indent(fence) > deepest
        if fence["info"].strip():
            if deeper is not None and not inside:
                return deeper
        elif fence["ticks"].startswith(opening["ticks"]):
            if deep or not inside:
                return number
            deeper = number if deeper is None else deeper
    return None


def _measure_indent(fence: re.Match[str]) -> int:
    return len(fence["indent"].expandtabs(4))


def _take_block(text: str, opening: re.Match[str], end: int, after: int) -> Fenced:
    """Takes a block without the indent of its fence (a fence may be part of a list item)."""
    indent = opening["indent"]
    lines = text[opening.end() + 1 : end].split("\n")
    words = opening["info"].lower().split()
    code = "\n".join(line.removeprefix(indent) for line in lines)
    return Fenced(words[0] if words else "", code, opening.start(), after)
