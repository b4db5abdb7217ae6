"""The changes from a clean prompt to a perturbed one, word by word.

Both texts are cut into words, runs of blanks and single other characters, so that a changed letter
marks its word and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from operator import eq

TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
MOST = 4000
"""Tokens on either side that are compared one by one; a longer stretch is one replacement, since
the comparison takes quadratic time."""


@dataclass(frozen=True, slots=True)
class WordChange:
    """One stretch of the clean text (character offsets) and its replacement."""

    start: int
    stop: int
    replacement: str


def find_word_changes(clean: str, variant: str) -> tuple[WordChange, ...]:
    """Finds the changes that turn `clean` into `variant`, in order; applied they give it back."""
    old, new = TOKEN.findall(clean), TOKEN.findall(variant)
    offsets = [0]
    for token in old:
        offsets.append(offsets[-1] + len(token))
    return tuple(
        WordChange(offsets[start], offsets[stop], "".join(new[new_start:new_stop]))
        for start, stop, new_start, new_stop in find_stretches(old, new)
    )


def find_stretches(old: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Finds the token ranges that differ: start and stop on either side."""
    head = 0
    shorter = min(len(old), len(new))
    while head < shorter and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shorter - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    left, right = old[head : len(old) - tail], new[head : len(new) - tail]
    if not left and not right:
        return
    # The usual case: words were altered at their own places, and most tokens are equal there.
    if len(left) == len(right) and 2 * sum(map(eq, left, right)) > len(left):
        yield from compare_in_place(left, right, head)
        return
    if max(len(left), len(right)) > MOST:
        yield head, head + len(left), head, head + len(right)
        return
    for tag, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag != "equal":
            yield head + a, head + b, head + c, head + d


def compare_in_place(
    old: list[str], new: list[str], head: int
) -> Iterator[tuple[int, int, int, int]]:
    """Finds the ranges that differ when each token is compared with the one at its place."""
    start: int | None = None
    for index in range(len(old) + 1):
        differs = index < len(old) and old[index] != new[index]
        if differs and start is None:
            start = index
        elif not differs and start is not None:
            yield head + start, head + index, head + start, head + index
            start = None
