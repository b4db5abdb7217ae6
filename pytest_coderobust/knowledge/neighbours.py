"""Neighbours of cases that come with none: the inputs that are most like theirs, by TF-IDF."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_coderobust.errors import DataError, MissingExtra
from pytest_coderobust.records.knowledge import KnowledgeCase

COUNT = 5
"""Neighbours of a case, as CLMEEval has them."""

_CHUNK = 512
_WORD = re.compile(r"(?u)\w+")
_DIGITS = 9
"""Digits of a similarity that are compared; the rest is rounding."""


@dataclass(frozen=True, slots=True)
class PoolItem:
    """Input that may become a neighbour.

    Attributes:
        text: the input itself, by which likeness is measured.
        prompt: the input as the model sees it.
        group: inputs of one group ask for the same, so they are no neighbours of one another.
    """

    text: str
    prompt: str
    group: str


@dataclass(frozen=True, slots=True)
class Draft:
    """Case as its file has it, with what its neighbours are found by."""

    case: KnowledgeCase
    text: str
    group: str


def fill_neighbours(drafts: Sequence[Draft], pool: Sequence[PoolItem]) -> list[KnowledgeCase]:
    """Gives each case that has no neighbours the nearest of the pool.

    Likeness is the cosine of TF-IDF vectors of words. An item of the case's own group, or with its
    prompt or a rewrite, is passed over, and so is a prompt that was taken already.

    Raises:
        MissingExtra: scikit-learn is not installed, and a case has no neighbours.
        DataError: no item of the pool has a word to be found by.
    """
    bare = [place for place, draft in enumerate(drafts) if not draft.case.neighbours]
    if not bare or not pool:
        return [draft.case for draft in drafts]
    if not any(_WORD.search(item.text) for item in pool):
        case = drafts[bare[0]].case
        raise DataError(
            f"case {case.id!r} has no neighbours, and no input has a word to find some by, as "
            f"{pool[0].text[:40]!r}; give neighbours"
        )
    ranks = _rank([drafts[place].text for place in bare], [item.text for item in pool])
    found = {
        place: replace(drafts[place].case, neighbours=_choose(drafts[place], pool, rank))
        for place, rank in zip(bare, ranks, strict=True)
    }
    return [found.get(place, draft.case) for place, draft in enumerate(drafts)]


def _choose(draft: Draft, pool: Sequence[PoolItem], rank: Sequence[int]) -> tuple[str, ...]:
    own = {draft.case.prompt, *draft.case.rewrites}
    chosen: dict[str, None] = {}
    for place in rank:
        item = pool[place]
        if item.group != draft.group and item.prompt not in own:
            chosen[item.prompt] = None
        if len(chosen) == COUNT:
            break
    return tuple(chosen)


def _rank(texts: Sequence[str], pool: Sequence[str]) -> list[list[int]]:
    """Ranks the pool for each text, the most alike first; equal ones in their order."""
    try:
        import numpy as np
        from sklearn.feature_extraction.text import TfidfVectorizer
    except ImportError:
        raise MissingExtra("finding neighbours of knowledge cases", "clmeeval") from None
    vectorizer: Any = TfidfVectorizer(token_pattern=_WORD.pattern)
    known = vectorizer.fit_transform(list(pool))
    asked = vectorizer.transform(list(texts))
    ranks: list[list[int]] = []
    for start in range(0, len(texts), _CHUNK):
        likeness = (asked[start : start + _CHUNK] @ known.T).toarray().round(_DIGITS)
        ranks += np.argsort(-likeness, axis=1, kind="stable").tolist()
    return ranks
