"""Neighbouring letters on a QWERTY keyboard, from the geometry of its rows."""

from __future__ import annotations

from functools import cache

_ROWS = (("qwertyuiop", 0.0), ("asdfghjkl", 0.25), ("zxcvbnm", 0.75))
_KEYS = {
    letter: (column + offset, float(row))
    for row, (letters, offset) in enumerate(_ROWS)
    for column, letter in enumerate(letters)
}


@cache
def neighbours(letter: str, reach: float) -> str:
    """Lists the letters whose keys lie within `reach` key widths, nearest first, in the same case.

    The list is empty for anything but an ASCII letter.
    """
    here = _KEYS.get(letter.lower()) if letter.isascii() else None
    if here is None:
        return ""
    distances = sorted(
        (round((x - here[0]) ** 2 + (y - here[1]) ** 2, 6), other)
        for other, (x, y) in _KEYS.items()
        if other != letter.lower()
    )
    near = "".join(other for distance, other in distances if distance <= reach**2)
    return near.upper() if letter.isupper() else near
