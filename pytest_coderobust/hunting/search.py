"""Search of one task: the clean prompt, known failures, new variants, then the minimum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from coderobust_strategies import Edit
from pytest_coderobust.hunting.candidates import Drawn
from pytest_coderobust.hunting.minimisation import Minimum, Simpler, minimise
from pytest_coderobust.hunting.questions import OutOfBudget, Questions

SearchEnding = Literal["found", "robust", "unsolved", "budget"]


@dataclass(frozen=True, slots=True)
class Found:
    """The result of a search.

    Attributes:
        outcome: "found"; "robust" if every variant was solved; "unsolved" if the clean prompt
            was not; "budget" if the budget ended before anything failed.
        first: the variant that the minimum was made from.
        still: for each known failure, whether it still fails.
    """

    outcome: SearchEnding
    minimum: Minimum[Edit] | None = None
    first: Drawn | None = None
    still: tuple[bool, ...] = ()


def search(
    known: Sequence[Drawn], rounds: Iterable[Sequence[Drawn]], simpler: Simpler[Edit]
) -> Questions[Edit, Found]:
    """Looks for a failing variant and makes it small.

    Args:
        known: failures of earlier runs; if one still fails, nothing new is tried.
        rounds: new variants, tried round by round.
        simpler: lists edits that may replace another.
    """
    clean: frozenset[Edit] = frozenset()
    answers: dict[frozenset[Edit], bool] = {}
    still: tuple[bool, ...] = ()
    try:
        replayed = list(dict.fromkeys(each.edits for each in known))
        got = yield [clean, *replayed]
        answers.update(zip([clean, *replayed], got, strict=True))
        if answers[clean]:
            return Found("unsolved")
        still = tuple(answers[each.edits] for each in known)
        failing = [each for each in known if answers[each.edits]]
        for turn in rounds if not failing else ():
            new = [each for each in turn if each.edits not in answers]
            if new:
                got = yield [each.edits for each in new]
                answers.update(zip((each.edits for each in new), got, strict=True))
            failing = [each for each in turn if answers[each.edits]]
            if failing:
                break
    except OutOfBudget:
        return Found("budget", still=still)
    if not failing:
        return Found("robust", still=still)
    first = min(failing, key=lambda each: len(each.edits))
    minimum = yield from minimise(first.edits, simpler, known=answers.items())
    return Found("found", minimum, first, still)
