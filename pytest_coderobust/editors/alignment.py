"""Which token of the clean prompt each token of the perturbed one corresponds to."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from pytest_coderobust.editors.options import Alignment

Pairs = tuple[tuple[int, int], ...]
"""(place in the perturbed prompt, place in the clean one), from the prompts' first tokens on."""


def align(clean: Sequence[int], perturbed: Sequence[int], how: Alignment) -> Pairs:
    """The aligned places, in order.

    "tokens": equal tokens pair up; where tokens were replaced by others, the last ones of both
    runs do, since a word's state ends up at its last token. Inserted tokens stay alone.
    "right": the common right end. "paper" pairs as "right" does, and the sweep copies the pads
    besides.
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
