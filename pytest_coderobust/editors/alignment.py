"""Alignment of the tokens of a perturbed prompt with those of the clean one."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from pytest_coderobust.editors.options import Alignment

Pairs = tuple[tuple[int, int], ...]
"""Pairs of places, (in the perturbed prompt, in the clean one), counted from the first token."""


def align(clean: Sequence[int], perturbed: Sequence[int], how: Alignment) -> Pairs:
    """Aligns the tokens of two prompts; returns the pairs in order.

    "tokens" pairs equal tokens. Where tokens were replaced by others, it pairs the last ones of
    both runs, since a word's state ends up at its last token. Inserted tokens have no partner.
    "right" pairs tokens from the right end. "paper" pairs as "right" does; the sweep then copies
    the pads too.
    """
    if how != "tokens":
        shorter = min(len(clean), len(perturbed))
        left, right = len(perturbed) - shorter, len(clean) - shorter
        return tuple((left + place, right + place) for place in range(shorter))
    pairs: list[tuple[int, int]] = []
    matcher = SequenceMatcher(None, list(clean), list(perturbed), autojunk=False)
    for tag, start, end, other_start, other_end in matcher.get_opcodes():
        if tag in ("equal", "replace"):
            count = min(end - start, other_end - other_start)
            pairs += zip(range(other_end - count, other_end), range(end - count, end), strict=True)
    return tuple(pairs)
