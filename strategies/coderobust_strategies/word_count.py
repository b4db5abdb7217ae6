"""Counts the words of a description that a variant changed.

The count compares the two texts alone. It does not matter who made the variant, so that the rates
of our variants and of recorded ones can be compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from coderobust_strategies.prompt.anatomy import Anatomy

_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class WordCount:
    """Numbers of eligible words and of changes to them.

    Attributes:
        eligible: eligible words of the clean prompt.
        changed: replaced and deleted ones, plus the places where words were inserted.
    """

    eligible: int
    changed: int

    @property
    def share(self) -> float:
        """Share of the eligible words that changed; 0 where no word is eligible."""
        return self.changed / self.eligible if self.eligible else 0.0


def count_changed_words(clean: Anatomy, variant: str) -> WordCount:
    """Counts the replaced and deleted eligible words, and each place with inserted words as one."""
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
    """Maps the index of a token to that of its eligible word ("it's" is three tokens)."""
    found: dict[int, int] = {}
    words = iter(enumerate(clean.words))
    number, word = next(words, (-1, None))
    for index, token in enumerate(tokens):
        while word is not None and word.stop <= token.start():
            number, word = next(words, (-1, None))
        if word is not None and word.start <= token.start() < word.stop:
            found[index] = number
    return found
