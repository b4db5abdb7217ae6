"""Strategies for Hypothesis that draw perturbed prompts and shrink towards the clean one.

    @given(prompt=perturbed(PROMPT, "C1", "W2", max_edits=3))
    def test_the_model_survives(prompt): ...

A drawn value is the prompt itself, a string that prints as a diff. It shrinks to fewer edits first,
then to simpler kinds (a change of case before a swap, a typo, another inflection, a synonym, an
insertion, a tense, a paraphrase), then to the first word and the first alternative. A word takes
one edit, and an edit is drawn as three numbers (word, kind, alternative), so that the shrinker can
drop an edit whole and lower its kind without leaving the word that matters.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hypothesis import currently_in_test_context
from hypothesis import strategies as st

from coderobust_strategies.anatomy import dissect
from coderobust_strategies.catalogue import candidate_sites
from coderobust_strategies.difference import show_edits
from coderobust_strategies.edit import Edit, apply_edits
from coderobust_strategies.perturbation import PerturbationError
from coderobust_strategies.site import compatible

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

KINDS = (
    *("case", "swap", "typo", "space", "repetition", "omission", "order", "inflection"),
    *("derivation", "synonym", "insertion", "tense", "paraphrase"),
)
"""Kinds of edit, simplest first."""


class PerturbedPrompt(str):
    """A prompt after edits: a string that prints as a diff against the clean prompt.

    Attributes:
        clean: the prompt before.
        edits: what turns `clean` into this string.
    """

    clean: str
    edits: tuple[Edit, ...]

    def __new__(cls, clean: str, edits: Sequence[Edit]) -> PerturbedPrompt:  # noqa: PYI034
        made = super().__new__(cls, apply_edits(clean, edits))
        made.clean, made.edits = clean, tuple(edits)
        return made

    def __repr__(self) -> str:
        return show_edits(self.clean, self.edits)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002
        """How Hypothesis prints a falsifying example."""
        for number, line in enumerate(repr(self).split("\n")):
            if number:
                printer.break_()
            printer.text(line)


def perturbed(
    prompt: str,
    *perturbations: str,
    max_edits: int = 3,
    min_edits: int = 0,
    entry_point: str = "",
    code: str = "",
) -> SearchStrategy[PerturbedPrompt]:
    """A strategy for variants of `prompt` under any mixture of perturbations.

    Shrinks towards the clean prompt; with `min_edits=0` the clean prompt itself is drawn too.

    Args:
        perturbations: at least one name ("C1"); an aggregate stands for all its members.
        max_edits: the most edits of one variant; fewer where the prompt has fewer sites.
        entry_point, code: as in `coderobust_strategies.perturb`.

    Raises (when first drawn from):
        UnknownPerturbation: a name is unknown.
        PerturbationError: the bounds are not 0 <= min_edits <= max_edits, no perturbation is
            named, or the prompt has no eligible site.
    """
    arguments = (prompt, perturbations, entry_point, code)
    if currently_in_test_context():
        _pool(*arguments)  # loads the word lists here, where no health check counts the time
    return _variants(arguments, min_edits, max_edits)


@st.composite
def _variants(
    draw: DrawFn,
    arguments: tuple[str, tuple[str, ...], str, str],
    min_edits: int,
    max_edits: int,
) -> PerturbedPrompt:
    if not 0 <= min_edits <= max_edits:
        raise PerturbationError(
            f"expected 0 <= min_edits <= max_edits, got min_edits={min_edits!r}, "
            f"max_edits={max_edits!r}"
        )
    pool = _pool(*arguments)
    most = min(max_edits, len(pool))
    slots = st.tuples(
        st.integers(0, len(pool) - 1), st.integers(0, len(KINDS)), st.integers(0, 1023)
    )
    drawn = draw(
        st.lists(
            slots,
            min_size=min(min_edits, most),
            max_size=most,
            unique_by=lambda slot: slot[0],
        )
    )
    edits: list[Edit] = []
    for place, kind, choice in drawn:
        choices = pool[place][kind % len(pool[place])]
        edits.append(choices[choice % len(choices)])
    return PerturbedPrompt(arguments[0], compatible(edits))


@lru_cache(maxsize=64)
def _pool(
    prompt: str, perturbations: tuple[str, ...], entry_point: str, code: str
) -> tuple[tuple[tuple[Edit, ...], ...], ...]:
    """Place (a word) -> kind, simplest first -> edits."""
    if not perturbations:
        raise PerturbationError("perturbed() needs the name of at least one perturbation")
    anatomy = dissect(prompt, entry_point, code)
    edits = sorted(
        {edit for site in candidate_sites(anatomy, perturbations) for edit in site.edits}
    )
    if not edits:
        raise PerturbationError(f"no eligible site for {', '.join(perturbations)} in this prompt")
    ends = [word.stop for word in anatomy.words]
    places: dict[int, dict[int, list[Edit]]] = {}
    for edit in edits:
        kinds = places.setdefault(bisect_left(ends, edit.start), {})
        kinds.setdefault(_simplicity(edit), []).append(edit)
    return tuple(
        tuple(tuple(kinds[rank]) for rank in sorted(kinds)) for _, kinds in sorted(places.items())
    )


def _simplicity(edit: Edit) -> int:
    return KINDS.index(edit.kind) if edit.kind in KINDS else len(KINDS)
