"""Decisions in tokens: where two answers part, and what the new one goes on with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from pytest_coderobust.editors.request import Parting


def split_parting(parting: Parting, tokenizer: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Splits the new answer's ids into those that both answers begin with, and the target's.

    The rule is one of tokens: `sqrt` and `square_root` part after "sq" as text, and as a tokenizer
    likes in ids. Ids stay as the whole line has them; nothing is decoded and encoded again.

    Args:
        tokenizer: a tokenizer of transformers.
    """
    line = parting.new.find("\n", parting.end)
    new = _encode(parting.new if line < 0 else parting.new[:line], tokenizer)
    old = _encode(parting.old, tokenizer)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    wanted = len(parting.new[: parting.end].lstrip())
    end = next(
        (
            count
            for count in range(same + 1, len(new) + 1)
            if len(tokenizer.decode(new[:count]).lstrip()) >= wanted
        ),
        len(new),
    )
    return tuple(new[:same]), tuple(new[same:end])


def _encode(text: str, tokenizer: Any) -> Sequence[int]:
    found: Sequence[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return found
