"""Counts how much of a description a variant changed, without looking at how it was made.

The same counter reads our variants and recorded ones, so that rates can be compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from coderobust_strategies.prompt.anatomy import Anatomy

_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class WordCount:
    """How many eligible words there were, and how many changed or had words put beside them."""

    eligible: int
    changed: int

    @property
    def share(self) -> float:
        """Share of the eligible words that changed; 0 where none is eligible."""
        return self.changed / self.eligible if self.eligible else 0.0


def measure(clean: Anatomy, variant: str) -> WordCount:
    """The change from a clean prompt to a variant: replaced or deleted eligible words, plus
    one for each place where words were inserted."""
    old = list(_TOKEN.finditer(clean.prompt))
    new = _TOKEN.findall(variant)
    eligible = _eligible(clean, old)
    matcher = SequenceMatcher(None, [token.group() for token in old], new, autojunk=False)
    changed = 0
    for tag, start, stop, new_start, new_stop in matcher.get_opcodes():
        if tag == "insert":
            changed += any(token.isalpha() for token in new[new_start:new_stop])
        elif tag != "equal":
            changed += len({eligible[i] for i in range(start, stop) if i in eligible})
    return WordCount(len(clean.words), changed)


def _eligible(clean: Anatomy, tokens: list[re.Match[str]]) -> dict[int, int]:
    """Token index -> index of the eligible word it belongs to ("it's" is three tokens)."""
    found: dict[int, int] = {}
    words = iter(enumerate(clean.words))
    number, word = next(words, (-1, None))
    for index, token in enumerate(tokens):
        while word is not None and word.stop <= token.start():
            number, word = next(words, (-1, None))
        if word is not None and word.start <= token.start() < word.stop:
            found[index] = number
    return found
