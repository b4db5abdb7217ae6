"""Words that the wire has besides those for plain values: the arrays and tables of packages.

Both sides of a check speak the same vocabulary. It is none unless the check has packages: an array
that a solution of any other check claims to send is an error of the wire. One process has one
check at a time, so that there is one vocabulary at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

DecodeWord = Callable[[Any], Any]
"""Makes a value of a tag's body. Raises WireError."""
FindEncoder = Callable[[type], Any]
"""Finds the encoder of a type's values; None for a type that has no word."""


class Vocabulary(NamedTuple):
    """The words of one library.

    Attributes:
        find_encoder: gives a function of an encoder, a value and its depth.
        decoders: by tag.
        overwrite: makes a value hold what another one of its type holds; whether it could.
        seed: seeds the library's own random numbers.
    """

    find_encoder: FindEncoder
    decoders: Mapping[str, DecodeWord]
    overwrite: Callable[[Any, Any], bool]
    seed: Callable[[int], None]


DECODERS: dict[str, DecodeWord] = {}
"""Decoders of the vocabularies in force, by tag."""
_spoken: list[Vocabulary] = []


def speak(vocabularies: Sequence[Vocabulary]) -> None:
    """Puts vocabularies in force, in place of those before."""
    _spoken[:] = vocabularies
    DECODERS.clear()
    for each in vocabularies:
        DECODERS.update(each.decoders)


def find_encoder(kind: type) -> Any:
    """Finds the encoder of a type; None for a type that has no word in force."""
    for each in _spoken:
        if (found := each.find_encoder(kind)) is not None:
            return found
    return None


def overwrite(given: Any, after: Any) -> bool:
    """Makes a library's value hold what another one of its type holds; whether it could."""
    return any(each.overwrite(given, after) for each in _spoken)


def seed(number: int) -> None:
    """Seeds the random numbers of the libraries in force."""
    for each in _spoken:
        each.seed(number)
