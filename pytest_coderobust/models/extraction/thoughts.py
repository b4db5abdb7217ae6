"""Thoughts of reasoning models, told apart from the answer that follows them.

The answer is the text behind the last closing tag, wherever the opening one is: in the text, in the
chat template, or nowhere. A thought that is opened and never closed has no answer behind it. A tag
inside a string or inline code on one line is part of a program or talk about tags. Linear in the
text.
"""

from __future__ import annotations

import re
from functools import cache

PAIRS = (
    *((f"<{name}>", f"</{name}>") for name in ("think", "thinking", "reasoning", "thought")),
    ("[THINK]", "[/THINK]"),
    ("\u25c1think\u25b7", "\u25c1/think\u25b7"),
    ("<seed:think>", "</seed:think>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
)
"""Opening and closing tags that are known without being told."""

# Bounded, so that a long line of quotes is not read once for each of them.
_QUOTED = (
    r"(?<!\w)[rbfuRBFU]{0,2}(?:\"(?:\\.|[^\"\\\n]){0,200}\"|'(?:\\.|[^'\\\n]){0,200}')"
    r"|(?<!`)`(?!`)[^`\n]{1,200}`(?!`)"
)


def find_answer(text: str, reasoning: tuple[str, ...] = ()) -> str | None:
    """Finds the answer behind a model's thoughts; None where a thought never ends.

    Args:
        reasoning: one more opening and closing tag, or nothing.
    """
    end = find_answer_start(text, reasoning)
    if end is None:
        return None
    return text[end:].lstrip("\n") if end else text


def find_answer_start(text: str, reasoning: tuple[str, ...] = ()) -> int | None:
    """Finds where the last thought of a text ends; 0 without thoughts, None where one never ends.

    Args:
        reasoning: one more opening and closing tag, or nothing.
    """
    pattern, opening_of, tags = _compile(reasoning)
    low = text.lower()
    if not any(tag in low for tag in tags):
        return 0  # as almost every text: a search for each tag is much faster than one for all
    opened: dict[str, int] = {}
    closed: dict[str, int] = {}
    end = 0
    for found in pattern.finditer(text):
        tag = (found["tag"] or "").lower()
        if tag in opening_of:
            closed[opening_of[tag]] = end = found.end()
        elif tag and not (found.start() and text[found.start() - 1].isalnum()):
            opened[tag] = found.end()  # behind a letter it is C++ or Java: list<thought>
    if any(place > closed.get(tag, -1) for tag, place in opened.items()):
        return None
    return end


@cache
def _compile(
    reasoning: tuple[str, ...],
) -> tuple[re.Pattern[str], dict[str, str], tuple[str, ...]]:
    """Makes the pattern of all tags, the opening tag of each closing one, and all in lower case."""
    pairs = [*PAIRS, reasoning] if reasoning else [*PAIRS]
    tags = sorted({tag for pair in pairs for tag in pair}, key=len, reverse=True)
    pattern = re.compile(f"(?P<tag>{'|'.join(map(re.escape, tags))})|{_QUOTED}", re.IGNORECASE)
    opening_of = {closing.lower(): opening.lower() for opening, closing in pairs}
    return pattern, opening_of, tuple(tag.lower() for tag in tags)
