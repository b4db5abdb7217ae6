"""Whether a program printed what it should: APPS's comparison, without its guesses.

Source: the `testing_util.py` of APPS (Hendrycks et al. 2021), which compares in several ways and
takes the kindest. As there, space around lines and empty lines do not count, and numbers are
compared within 1e-8 + 1e-5 |expected| (NumPy's `allclose`). Two departures, each stricter: where
both are whole numbers they must be equal (there 100000 passes for 100001), and lines are never
compared as sets of words (there any order of lines and of words on them passes).
"""

from __future__ import annotations

import re

ABSOLUTE, RELATIVE = 1e-8, 1e-5
_NUMBER = re.compile(r"[+-]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:[eE][+-]?\d{1,5})?")
_WHOLE = re.compile(r"[+-]?\d+")


def agrees(printed: str, expected: str) -> bool:
    """Whether two outputs are the same."""
    ours, theirs = split_lines(printed), split_lines(expected)
    return len(ours) == len(theirs) and all(map(same_line, ours, theirs))


def split_lines(text: str) -> list[str]:
    """The lines that are not empty, without the space around them."""
    return [stripped for line in text.split("\n") if (stripped := line.strip())]


def same_line(ours: str, theirs: str) -> bool:
    """Whether two lines have the same words, numbers within their tolerance."""
    if ours == theirs:
        return True
    left, right = ours.split(), theirs.split()
    return len(left) == len(right) and all(map(same_word, left, right))


def same_word(ours: str, theirs: str) -> bool:
    """Whether two words are equal, or numbers that are close."""
    if ours == theirs:
        return True
    if not (_NUMBER.fullmatch(ours) and _NUMBER.fullmatch(theirs)):
        return False
    if _WHOLE.fullmatch(ours) and _WHOLE.fullmatch(theirs):
        return ours.lstrip("+") == theirs.lstrip("+")
    wanted = float(theirs)
    return abs(float(ours) - wanted) <= ABSOLUTE + RELATIVE * abs(wanted)
