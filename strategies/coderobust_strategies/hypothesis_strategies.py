"""Strategies for Hypothesis that draw perturbed prompts and shrink towards the clean one.

    @given(prompt=perturbed(PROMPT, "C1", "W2", max_edits=3))
    def test_the_model_survives(prompt): ...

A drawn value is the prompt itself, a string that prints as a diff. It shrinks to fewer edits first.
Then it shrinks to simpler kinds of edit: a change of case is simpler than a swap, a swap than a
typo, and so on in the order of `shrinking.simplicity.KINDS`. At last it shrinks to the first word
and the first alternative.

A word takes one edit at most. An edit is drawn as three numbers (word, kind, alternative), so that
the shrinker can drop an edit whole, or make its kind simpler and stay at the word that matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hypothesis import currently_in_test_context
from hypothesis import strategies as st

from coderobust_strategies.edit import Edit, apply_edits
from coderobust_strategies.perturbation import PerturbationError
from coderobust_strategies.shrinking.difference import show_edits
from coderobust_strategies.shrinking.simplicity import KINDS, EditPlace, places, simpler
from coderobust_strategies.site import drop_overlaps

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy


_HIGH = 99
"""Highest number drawn for one edit of `remnants`.

0 takes the edit back, the next few numbers put a simpler edit in its place, all others keep it.
"""


class PerturbedPrompt(str):
    """A prompt after edits: a string that prints as a diff against the clean prompt.

    Attributes:
        clean: the prompt before the edits.
        edits: the edits that turn `clean` into this string.
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
        """Prints the diff line by line in Hypothesis' report of a falsifying example."""
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

    It shrinks towards the clean prompt. With `min_edits=0` the clean prompt itself is drawn too.

    Args:
        perturbations: at least one name ("C1"); an aggregate means all its members.
        max_edits: most edits of one variant; a prompt with fewer sites has fewer.
        entry_point: as in `coderobust_strategies.perturb`.
        code: as in `coderobust_strategies.perturb`.

    Raises (when first drawn from):
        UnknownPerturbation: a name is unknown.
        PerturbationError: the bounds are not 0 <= min_edits <= max_edits, no perturbation is
            named, or the prompt has no eligible site.
    """
    arguments = (prompt, perturbations, entry_point, code)
    if currently_in_test_context():
        _pool(*arguments)  # loads the word lists here, where no health check counts the time
    return _variants(arguments, min_edits, max_edits)


def remnants(
    clean: str,
    edits: Sequence[Edit],
    *perturbations: str,
    entry_point: str = "",
    code: str = "",
) -> SearchStrategy[PerturbedPrompt]:
    """A strategy for variants that keep only some of the given edits.

    Most draws keep most edits as they are. A value shrinks by taking edits back. Where
    perturbations are named, it also shrinks by replacing an edit with a simpler one that they
    propose for the same word.

    Args:
        edits: the edits that turned `clean` into the variant, in any order; none overlap.
        entry_point: as in `coderobust_strategies.perturb`.
        code: as in `coderobust_strategies.perturb`.
    """
    return _remnants(clean, ladders(clean, edits, perturbations, entry_point, code))


def ladders(
    clean: str,
    edits: Sequence[Edit],
    perturbations: Sequence[str],
    entry_point: str = "",
    code: str = "",
) -> list[tuple[Edit, ...]]:
    """Lists for each edit the edits that may replace it, simplest first, and the edit itself last.

    The lists are in the order of the edits in the prompt.
    """
    pool = places(clean, tuple(perturbations), entry_point, code) if perturbations else ()
    return [(*simpler(edit, pool), edit) for edit in sorted(edits)]


@st.composite
def _remnants(draw: DrawFn, clean: str, steps: Sequence[tuple[Edit, ...]]) -> PerturbedPrompt:
    kept: list[Edit] = []
    for ladder in steps:
        height = draw(st.integers(0, _HIGH))
        if height:
            kept.append(ladder[min(height, len(ladder)) - 1])
    return PerturbedPrompt(clean, drop_overlaps(kept))


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
    # Words differ in their numbers of kinds and choices. The bounds here are the same for all of
    # them, and remainders below turn the numbers into a kind and a choice that the word has.
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
    return PerturbedPrompt(arguments[0], drop_overlaps(edits))


def _pool(
    prompt: str, perturbations: tuple[str, ...], entry_point: str, code: str
) -> tuple[EditPlace, ...]:
    if not perturbations:
        raise PerturbationError("perturbed() needs the name of at least one perturbation")
    pool = places(prompt, perturbations, entry_point, code)
    if not pool:
        raise PerturbationError(f"no eligible site for {', '.join(perturbations)} in this prompt")
    return pool
