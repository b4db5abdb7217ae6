"""Character-level perturbations C1 to C3 of Liu et al. 2026, with ReCode's mechanisms and rates.

Source: ReCode (Wang et al. 2023), after NL-Augmenter's ButterFingersPerturbation,
SwapCharactersPerturbation and ChangeCharCase. Departures: only eligible words change. A typo is
always another letter; ReCode's lists hold the letter itself, quotes and brackets too. A swap needs
two different letters; ReCode also swaps digits. Of two overlapping swaps one is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator

from coderobust_strategies.edit import Edit
from coderobust_strategies.perturbations.keyboard import neighbours
from coderobust_strategies.prompt.anatomy import Anatomy
from coderobust_strategies.site import Site

_WIDE = 2.1  # key widths; ReCode's hand-made lists reach about two keys


def butter_fingers(anatomy: Anatomy) -> Iterator[Site]:
    """C1: replaces a letter by that of a nearby key."""
    for position, letter in _letters(anatomy):
        near = neighbours(letter, _WIDE)
        yield Site(tuple(Edit(position, position + 1, other, "typo") for other in near))


def swap_characters(anatomy: Anatomy) -> Iterator[Site]:
    """C2: exchanges two neighbouring letters."""
    for word in anatomy.words:
        for index, pair in enumerate(zip(word.text, word.text[1:], strict=False)):
            first, second = pair
            if first != second and (first + second).isalpha():
                start = word.start + index
                yield Site((Edit(start, start + 2, second + first, "swap"),))


def change_case(anatomy: Anatomy) -> Iterator[Site]:
    """C3: changes the case of a letter."""
    for position, letter in _letters(anatomy):
        yield Site((Edit(position, position + 1, letter.swapcase(), "case"),))


def _letters(anatomy: Anatomy) -> Iterator[tuple[int, str]]:
    for word in anatomy.words:
        for index, character in enumerate(word.text):
            if character.isalpha():
                yield word.start + index, character
