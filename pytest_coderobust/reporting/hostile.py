"""The escaping of foreign text: nothing shown moves a cursor, hides, or reads backwards."""

from __future__ import annotations


def escape(text: str, limit: int | None = None) -> str:
    """Escapes every character that does not print, so that the text takes one line.

    These are control and escape characters, line ends, direction marks and lone surrogates.

    Args:
        limit: most characters shown; the rest is counted at the end.
    """
    shown = text if limit is None else text[:limit]
    safe = shown if shown.isprintable() else "".join(map(escape_character, shown))
    left = len(text) - len(shown)
    return f"{safe} (+{left} characters)" if left else safe


def escape_character(character: str) -> str:
    """Escapes a character that does not print."""
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def escape_block(text: str, limit: int | None = None) -> str:
    """Escapes a text of several lines: line ends stay, and tabs become spaces.

    Args:
        limit: most characters shown; the rest is counted on a line of its own.
    """
    shown = text if limit is None else text[:limit]
    lines = [escape(line) for line in shown.expandtabs(4).split("\n")]
    left = len(text) - len(shown)
    return "\n".join([*lines, f"(+{left} characters)"] if left else lines)
