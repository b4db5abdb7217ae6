"""Edits: replacements of one span of a prompt each. Edits of one set never overlap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """One replacement in a prompt.

    Attributes:
        start, stop: character offsets into the clean prompt; equal for an insertion.
        replacement: the text that replaces the span.
        kind: the operation that proposed it ("typo", "swap", "case", ...).
    """

    start: int
    stop: int
    replacement: str
    kind: str


def apply_edits(prompt: str, edits: Iterable[Edit]) -> str:
    """Returns the prompt after all edits, whatever their order.

    Raises:
        ValueError: two edits overlap, or one lies outside the prompt.
    """
    pieces: list[str] = []
    end = 0
    for edit in sorted(edits):
        if not end <= edit.start <= edit.stop <= len(prompt):
            raise ValueError(f"edit {edit!r} overlaps another or lies outside the prompt")
        pieces += (prompt[end : edit.start], edit.replacement)
        end = edit.stop
    return "".join((*pieces, prompt[end:]))
