"""Prefixes: short texts before a prompt, so that a key does not depend on one context."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_coderobust.editors.access import Access

STARTS = ("The", "Therefore", "Because", "I", "You")
"""First words of the prefixes; the model continues them (CLMEEval)."""

NEUTRAL = 'def identity(value):\n    """Return the value unchanged."""\n'
"""Neutral prompt that no suite asks, and whose answer an edit must leave alone.

CLMEEval takes the edited prompt itself here, which penalises the very change that is wanted.
"""


def make_prefixes(access: Access, count: int, tokens: int) -> list[list[int]]:
    """Makes the empty prefix, and `count` that the model writes greedily, each `tokens` long."""
    found: list[list[int]] = [[]]
    tokenizer = access.loaded.tokenizer
    for start in STARTS[:count]:
        head = list(tokenizer(start, add_special_tokens=False)["input_ids"])
        more = list(access.continuation(head, tokens)) if head else []
        gap = tokenizer(".\n", add_special_tokens=False)["input_ids"]
        ends = access.loaded.eos
        found.append([*head, *(each for each in more if each not in ends), *gap])
    return found


def put_behind(prefix: Sequence[int], prompt: Sequence[int], access: Access) -> list[int]:
    """Puts a prompt behind a prefix; a beginning-of-text token stays the first."""
    start = access.loaded.tokenizer.bos_token_id
    if prompt and start is not None and prompt[0] == start:
        return [start, *prefix, *prompt[1:]]
    return [*prefix, *prompt]
