"""Lengths of new names in a model's own tokens: short ones can be taught, long ones hardly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from statistics import median
from typing import Any

from pytest_coderobust.records import ApiChange

BEFORE = "    return "
"""Code that a call stands after."""


@dataclass(frozen=True, slots=True)
class SpelledName:
    """A new name, and the tokens from where it differs from the old one through the bracket."""

    name: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Spelling:
    """The new names of a benchmark in a model's tokens, shortest first."""

    names: tuple[SpelledName, ...]

    @property
    def median(self) -> float:
        """The median number of tokens."""
        return float(median(each.tokens for each in self.names))


def spell_changes(changes: Iterable[ApiChange], tokenizer: Any) -> Spelling | None:
    """Counts the tokens of each new name; None where no change has one.

    Args:
        tokenizer: a tokenizer of transformers.
    """
    named = [change for change in changes if change.new]
    found = [SpelledName(each.new, count_decision(each, tokenizer)) for each in named]
    found.sort(key=lambda spelled: (spelled.tokens, spelled.name))
    return Spelling(tuple(found)) if found else None


def count_decision(change: ApiChange, tokenizer: Any) -> int:
    """Counts the tokens in which a call of the new name differs from one of the old."""
    old, new = (_encode(f"{BEFORE}{name}(", tokenizer) for name in (change.old, change.new))
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    return len(new) - same


def _encode(text: str, tokenizer: Any) -> Sequence[int]:
    found: Sequence[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return found
