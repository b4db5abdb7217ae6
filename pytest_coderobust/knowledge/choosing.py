"""Choice of cases by seed, and what two sets share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_coderobust.knowledge.case_set import CaseSet
from pytest_coderobust.records import digest
from pytest_coderobust.records.knowledge import KnowledgeCase


def choose_cases(
    cases: Sequence[KnowledgeCase], limit: int | None, seed: int
) -> tuple[KnowledgeCase, ...]:
    """Draws up to `limit` cases, and returns them in the order of the set.

    The draw follows from seed and case alone: a larger limit holds the same cases and more.
    """
    if limit is None or limit >= len(cases):
        return tuple(cases)
    order = sorted(range(len(cases)), key=lambda at: digest("choose", seed, cases[at].digest))
    return tuple(cases[place] for place in sorted(order[:limit]))


@dataclass(frozen=True, slots=True)
class Overlap:
    """Cases that share an input, a rewrite or a neighbour with others.

    Attributes:
        places: of the cases in their set.
        example: a text that both have; "" where there is none.
    """

    places: tuple[int, ...]
    example: str


def find_overlap(training: CaseSet, asked: Iterable[KnowledgeCase]) -> Overlap:
    """Finds the training cases that show something of those asked; case and blanks do not count."""
    known = {normalise(text) for case in asked for text in list_texts(case)}
    places: list[int] = []
    example = ""
    for place, case in enumerate(training.cases):
        shared = [text for text in list_texts(case) if normalise(text) in known]
        if shared:
            places.append(place)
            example = example or shared[0]
    return Overlap(tuple(places), example)


def digest_texts(cases: Iterable[KnowledgeCase]) -> list[str]:
    """Lists digests of all texts of cases, sorted, by which an overlap is found without them."""
    texts = {normalise(text) for case in cases for text in list_texts(case)}
    return sorted(_digest_text(text) for text in texts)


def find_known(digests: Iterable[str], asked: Sequence[KnowledgeCase]) -> Overlap:
    """Finds the cases that share a text with those that digests were made of.

    Returns:
        The places of the cases that are asked, and a text.
    """
    known = set(digests)
    places: list[int] = []
    example = ""
    for place, case in enumerate(asked):
        shared = [text for text in list_texts(case) if _digest_text(normalise(text)) in known]
        if shared:
            places.append(place)
            example = example or shared[0]
    return Overlap(tuple(places), example)


def drop_cases(cases: CaseSet, places: Iterable[int]) -> CaseSet:
    """Makes the set without the cases at these places."""
    gone = set(places)
    kept = tuple(case for place, case in enumerate(cases.cases) if place not in gone)
    return CaseSet(cases.name, kept)


def list_texts(case: KnowledgeCase) -> tuple[str, ...]:
    """Lists a case's input, rewrites and neighbours."""
    return (case.prompt, *case.rewrites, *case.neighbours)


def normalise(text: str) -> str:
    """Takes case and the number of blanks out of a text."""
    return " ".join(text.split()).casefold()


def _digest_text(text: str) -> str:
    return digest("case text", text)[:16]
