"""Text from models and data sets, made safe to show: nothing in it moves a cursor or hides."""

from __future__ import annotations


def escape(text: str, limit: int | None = None) -> str:
    """The text with every character that does not print (control and escape characters, line
    ends, direction marks, lone surrogates) as its backslash escape.

    Args:
        limit: most characters shown; the rest is counted at the end.
    """
    shown = text if limit is None else text[:limit]
    safe = shown if shown.isprintable() else "".join(map(escape_character, shown))
    left = len(text) - len(shown)
    return f"{safe} (+{left} characters)" if left else safe


def escape_character(character: str) -> str:
    """The character itself when it prints, else its escape."""
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def escape_block(text: str, limit: int | None = None) -> str:
    """The text with its line ends kept and everything else made visible; tabs become spaces.

    Args:
        limit: most characters shown; the rest is counted on a line of its own.
    """
    shown = text if limit is None else text[:limit]
    lines = [escape(line) for line in shown.expandtabs(4).split("\n")]
    left = len(text) - len(shown)
    return "\n".join([*lines, f"(+{left} characters)"] if left else lines)
