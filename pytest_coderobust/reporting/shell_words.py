"""Words of a shell's command, so that what is shown can be pasted and moves no cursor."""

from __future__ import annotations

import shlex
from collections.abc import Iterable


def quote_word(text: str) -> str:
    r"""Quotes one word; what does not print goes into bash's `$'\033'`, which zsh has, too."""
    if text.isprintable():
        return shlex.quote(text)
    return f"$'{''.join(map(_spell_character, text))}'"


def join_words(words: Iterable[str]) -> str:
    """Joins words to a command of one line."""
    return " ".join(map(quote_word, words))


def _spell_character(character: str) -> str:
    """Spells a character between `$'` and `'`: three octal digits a byte, as none can follow."""
    if character in "\\'":
        return f"\\{character}"
    if character.isprintable():
        return character
    try:
        spelled = character.encode("utf-8", "surrogateescape")  # names of files that are no UTF-8
    except UnicodeEncodeError:
        spelled = character.encode("utf-8", "surrogatepass")
    return "".join(f"\\{byte:03o}" for byte in spelled)
