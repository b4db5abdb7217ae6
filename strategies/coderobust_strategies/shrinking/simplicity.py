"""The order of edits from simple to complicated, which decides how a minimal failure looks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

from coderobust_strategies.catalogue import candidate_sites
from coderobust_strategies.edit import Edit
from coderobust_strategies.prompt.anatomy import dissect

KINDS = (
    *("case", "swap", "typo", "space", "repetition", "omission", "order", "inflection"),
    *("derivation", "synonym", "insertion", "tense", "paraphrase"),
)
"""Kinds of edit, simplest first."""

EditPlace = tuple[tuple[Edit, ...], ...]
"""The edits of one word, grouped by kind, simplest first."""


def simplicity(edit: Edit) -> int:
    """Ranks an edit by its kind; an unknown kind comes last."""
    return KINDS.index(edit.kind) if edit.kind in KINDS else len(KINDS)


@lru_cache(maxsize=64)
def places(
    prompt: str, perturbations: tuple[str, ...], entry_point: str = "", code: str = ""
) -> tuple[EditPlace, ...]:
    """Collects every edit that the perturbations propose for a prompt, word by word.

    Raises:
        UnknownPerturbation: no perturbation has one of the names.
    """
    anatomy = dissect(prompt, entry_point, code)
    ends = [word.stop for word in anatomy.words]
    edits = {edit for site in candidate_sites(anatomy, perturbations) for edit in site.edits}
    found: dict[int, dict[int, list[Edit]]] = {}
    for edit in sorted(edits):
        # An edit between two words, an inserted space for one, belongs to the word before it.
        kinds = found.setdefault(bisect_left(ends, edit.start), {})
        kinds.setdefault(simplicity(edit), []).append(edit)
    return tuple(
        tuple(tuple(kinds[rank]) for rank in sorted(kinds)) for _, kinds in sorted(found.items())
    )


def simpler(edit: Edit, pool: Sequence[EditPlace]) -> tuple[Edit, ...]:
    """Lists simpler edits of the same word: the first of each kind up to the kind of `edit`."""
    for place in pool:
        ranks = [kind for kind in place if edit in kind]
        if ranks:
            best = [kind[0] for kind in place if simplicity(kind[0]) <= simplicity(edit)]
            return tuple(other for other in best if other != edit)
    return ()
