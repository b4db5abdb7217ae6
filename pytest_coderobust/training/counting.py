"""Numbers of things, as sentences have them."""

from __future__ import annotations


def count_noun(number: int, noun: str) -> str:
    """Writes a number of things: "1 row", "2 rows"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
