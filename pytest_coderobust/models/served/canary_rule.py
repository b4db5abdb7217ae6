"""Rule that decides whether two answers to a canary are the same model's; pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, takewhile
from typing import Literal

from pytest_coderobust.models.served.canary import CanaryAnswer, CanaryToken

FLOOR = 1e-3
"""The least tolerance of log-probabilities."""

CEILING = 0.25
"""The largest tolerance, however much a server disagrees with itself."""

MARGIN = 4.0
"""Times its own spread that a server may move: later looks see more than the first three asks."""

CanaryOutcome = Literal["same", "tie", "different"]


@dataclass(frozen=True, slots=True)
class CanaryMatch:
    """Two answers side by side.

    Attributes:
        outcome: "tie" parts at a token whose candidates were as good as equally likely.
        place: the token (of text alone the character) where they part; None where they do not.
        moved: the largest move of a chosen token's log-probability, as far as they were compared.
        reason: what differs, as the end of a sentence; "" where nothing does.
    """

    outcome: CanaryOutcome
    place: int | None = None
    moved: float = 0.0
    reason: str = ""


def compare_answers(
    before: CanaryAnswer, now: CanaryAnswer, tolerance: float, agreed: int | None = None
) -> CanaryMatch:
    """Compares two answers to one prompt.

    They are the same where the texts are equal and every chosen token's log-probability is within
    the tolerance. Where the texts part it is a tie only if at that token both candidates'
    log-probabilities are within the tolerance of each other, in both answers, and everything
    before agrees. Without log-probabilities texts are all there is.

    Args:
        agreed: tokens (of text alone: characters) up to which the server agrees with itself; None
            compares all.
    """
    if not before.has_logprobs:
        return _compare_texts(before.text, now.text, agreed)
    if not now.has_logprobs:
        return CanaryMatch("different", 0, 0.0, "it has no log-probabilities any more")
    moved = 0.0
    pairs = zip(before.tokens[:agreed], now.tokens[:agreed], strict=False)
    for place, (old, new) in enumerate(pairs):
        if old.text != new.text:
            return _judge_parting(old, new, place, moved, tolerance)
        step = _distance(old, new)
        if step > tolerance:
            return CanaryMatch("different", place, step, _describe_move(old, new, place, tolerance))
        moved = max(moved, step)
    length = min(len(before.tokens), len(now.tokens))
    if (agreed is None or length < agreed) and before.text != now.text:
        return CanaryMatch("different", length, moved, "one of them ends earlier")
    return CanaryMatch("same", None, moved)


@dataclass(frozen=True, slots=True)
class CanarySpread:
    """Disagreement of a server with itself on one prompt.

    Attributes:
        agreed: tokens (of text alone: characters) that were equal in all answers; None: all.
        moved: the largest difference of a log-probability among them.
    """

    agreed: int | None = None
    moved: float = 0.0


def measure_spread(answers: Sequence[CanaryAnswer]) -> CanarySpread:
    """Measures how far answers of one server to one prompt differ; log-probabilities that differ
    by more than `CEILING` part them as other tokens do."""
    if not all(answer.has_logprobs for answer in answers):
        texts = [answer.text for answer in answers]
        # The least and the greatest text share what all of them share.
        shared = _count_shared(min(texts), max(texts))
        return CanarySpread(None if len(set(texts)) == 1 else shared)
    agreed: int | None = None
    moved = 0.0
    for one, other in combinations(answers, 2):
        found = compare_answers(one, other, CEILING, agreed)
        moved = max(moved, found.moved if found.outcome != "different" else 0.0)
        if found.place is not None:
            agreed = found.place
    return CanarySpread(agreed, min(moved, CEILING))


def choose_tolerance(spreads: Sequence[CanarySpread]) -> float:
    """Chooses the tolerance of a server's log-probabilities by its own spread."""
    widest = max((spread.moved for spread in spreads), default=0.0)
    return min(CEILING, max(FLOOR, MARGIN * widest))


def is_weak(spreads: Sequence[CanarySpread]) -> bool:
    """Whether a server disagrees with itself on more than a third of the canaries, and on two."""
    apart = sum(spread.agreed is not None for spread in spreads)
    return apart > max(2, len(spreads) // 3)


def find_kinds(answers: Sequence[CanaryAnswer]) -> list[CanaryAnswer]:
    """Finds one answer of each kind that came at least twice.

    A server that is only noisy gives each answer once, and one whose cache warms up gives the first
    one once. Two kinds that both came again are two models, or one under changing load.
    """
    groups: list[list[CanaryAnswer]] = []
    for answer in answers:
        home = next(
            (
                group
                for group in groups
                if compare_answers(group[0], answer, FLOOR).outcome == "same"
            ),
            None,
        )
        if home is None:
            groups.append([answer])
        else:
            home.append(answer)
    return [group[0] for group in groups if len(group) > 1]


def _compare_texts(before: str, now: str, agreed: int | None) -> CanaryMatch:
    if before[:agreed] == now[:agreed]:
        return CanaryMatch("same")
    place = _count_shared(before, now)
    return CanaryMatch("different", place, 0.0, "the texts part")


def _count_shared(one: str, other: str) -> int:
    """Counts the characters at the beginning of two texts that are equal."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _judge_parting(
    old: CanaryToken, new: CanaryToken, place: int, moved: float, tolerance: float
) -> CanaryMatch:
    seen = [_find_logprob(token, text) for token in (old, new) for text in (old.text, new.text)]
    known = [each for each in seen if each is not None]
    if len(known) == len(seen) and max(known) - min(known) <= tolerance:
        return CanaryMatch("tie", place, moved)
    reason = f"token {place + 1} was {old.text!r} and is {new.text!r}"
    return CanaryMatch("different", place, moved, reason)


def _find_logprob(token: CanaryToken, text: str) -> float | None:
    """The log-probability that a text had at a token's place; None where the server left it out."""
    if token.text == text:
        return token.logprob
    # Tokens that are parts of a character may share a text; the likeliest is the candidate.
    return max((value for name, value in token.rivals if name == text), default=None)


def _distance(old: CanaryToken, new: CanaryToken) -> float:
    """The move of a log-probability; one that only one side has is infinitely far away."""
    if old.logprob is None or new.logprob is None:
        return 0.0 if old.logprob == new.logprob else float("inf")
    return abs(old.logprob - new.logprob)


def _describe_move(old: CanaryToken, new: CanaryToken, place: int, tolerance: float) -> str:
    shown = ["none" if each.logprob is None else f"{each.logprob:.5f}" for each in (old, new)]
    return (
        f"the log-probability of token {place + 1} {old.text!r} was {shown[0]} and is {shown[1]} "
        f"(tolerance {tolerance:g})"
    )
