"""References of canaries: what a model answered when it was first met, and looks that compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from pytest_coderobust.models.served.canary import (
    SHORT_TOKENS,
    TOKENS,
    Canary,
    CanaryAnswer,
)
from pytest_coderobust.models.served.canary_rule import (
    CEILING,
    CanaryMatch,
    CanarySpread,
    choose_tolerance,
    compare_answers,
    find_kinds,
    is_weak,
    measure_spread,
)

QUIET = CanarySpread()
"""Spread of a server that agrees with itself."""

FIRST_ASKS = 3
"""Times that a canary is asked at first contact."""

REPLICAS = 8
"""Short canaries, each on a connection of its own."""

AskCanary = Callable[[Canary, int], CanaryAnswer | None]
"""Asks a canary for some tokens, on a fresh connection; None where it does not fit the window.

Raises:
    ModelError: no answer comes.
"""


@dataclass(frozen=True, slots=True)
class CanaryReference:
    """An answer of first contact; None of a canary that does not fit into the model's window."""

    canary: Canary
    answer: CanaryAnswer | None
    spread: CanarySpread = QUIET


@dataclass(frozen=True, slots=True)
class References:
    """The references of one model.

    Attributes:
        kinds: the kinds of answers that first contact found by short canaries; more than one is
            several models behind one address, or one under changing load.
    """

    known: Mapping[Canary, CanaryReference] = field(default_factory=dict[Canary, CanaryReference])
    kinds: int = 1

    @property
    def answered(self) -> tuple[CanaryReference, ...]:
        return tuple(each for each in self.known.values() if each.answer is not None)

    @property
    def tolerance(self) -> float:
        return choose_tolerance([each.spread for each in self.answered])

    @property
    def weak(self) -> bool:
        """Whether the canaries of this server prove little, because it disagrees with itself."""
        return self.kinds > 1 or is_weak([each.spread for each in self.answered])

    @property
    def has_logprobs(self) -> bool:
        return any(each.answer is not None and each.answer.has_logprobs for each in self.answered)


@dataclass(frozen=True, slots=True)
class CanaryDifference:
    """A canary that was answered in another way than at first contact."""

    canary: Canary
    before: str
    now: str
    match: CanaryMatch
    replicas: bool = False


def meet(canary: Canary, ask: AskCanary) -> CanaryReference:
    """Asks a canary for the first time: three times, for the server's own spread."""
    answers = _ask_often(canary, FIRST_ASKS, TOKENS, ask)
    return CanaryReference(canary, answers[0] if answers else None, measure_spread(answers))


def look(references: References, ask: AskCanary) -> CanaryDifference | None:
    """Asks every canary again; returns the first that is answered in another way."""
    for reference in references.answered:
        if found := _look_at(reference, references.tolerance, ask):
            return found
    return None


def look_for_replicas(
    references: References, ask: AskCanary, *, hosted: bool
) -> tuple[CanaryDifference | None, int]:
    """Asks one short canary eight times; returns a difference, and the number of kinds seen.

    Only what no noise explains differs here: a text that parts without a tie, or a log-probability
    that moves by more than `CEILING`.

    Args:
        hosted: texts alone of a provider part by noise, too.
    """
    if not references.answered:
        return None, 1
    reference = references.answered[0]
    given = _ask_often(reference.canary, REPLICAS, SHORT_TOKENS, ask)
    matches = [_match_short(reference, answer) for answer in given]
    wrong = [place for place, match in enumerate(matches) if match.outcome == "different"]
    kinds = find_kinds(given)
    if wrong:
        before = reference.answer.text if reference.answer is not None else ""
        some = len(wrong) < len(given)
        now, match = given[wrong[0]].text, matches[wrong[0]]
        return CanaryDifference(reference.canary, before, now, match, replicas=some), len(kinds)
    if hosted and not references.has_logprobs:
        return None, len(kinds)
    return _compare_kinds(reference.canary, kinds), len(kinds)


def _compare_kinds(canary: Canary, kinds: Sequence[CanaryAnswer]) -> CanaryDifference | None:
    """Finds two kinds that no noise explains: the server's spread may have hidden them."""
    for one, other in combinations(kinds, 2):
        match = compare_answers(one, other, CEILING)
        if match.outcome == "different":
            return CanaryDifference(canary, one.text, other.text, match, replicas=True)
    return None


def _match_short(reference: CanaryReference, answer: CanaryAnswer) -> CanaryMatch:
    assert reference.answer is not None
    length = SHORT_TOKENS if reference.answer.has_logprobs else len(answer.text)
    agreed = reference.spread.agreed
    most = length if agreed is None else min(length, agreed)
    return compare_answers(reference.answer, answer, CEILING, most)


def _look_at(
    reference: CanaryReference, tolerance: float, ask: AskCanary
) -> CanaryDifference | None:
    """Asks one canary again, and more often where a small difference may be noise of now."""
    before = reference.answer
    assert before is not None
    now = ask(reference.canary, TOKENS) or CanaryAnswer("")
    agreed = reference.spread.agreed
    found = compare_answers(before, now, tolerance, agreed)
    if found.outcome != "different":
        return None
    if compare_answers(before, now, CEILING, agreed).outcome != "different":
        again = _ask_often(reference.canary, FIRST_ASKS, TOKENS, ask)
        wider = choose_tolerance([measure_spread([now, *again])])
        if compare_answers(before, now, wider, agreed).outcome != "different":
            return None
    return CanaryDifference(reference.canary, before.text, now.text, found)


def _ask_often(canary: Canary, times: int, tokens: int, ask: AskCanary) -> list[CanaryAnswer]:
    """Asks a canary some times, one after the other; a refusal is left out."""
    answers = (ask(canary, tokens) for _ in range(times))
    return [answer for answer in answers if answer is not None]


def add_references(references: References, found: Sequence[CanaryReference]) -> References:
    """The references with further ones."""
    added = {each.canary: each for each in found}
    return References({**references.known, **added}, references.kinds)
