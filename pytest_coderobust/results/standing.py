"""The standing of a suite: the one word that its gates, or their absence, come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pytest_coderobust.metrics.condition import ConditionSummary
from pytest_coderobust.metrics.summary import Summary
from pytest_coderobust.results.result import DecidedRun, GateOutcome

StandingWord = Literal[
    "fails", "not judged", "inconclusive", "holds", "gates off", "partial", "no gates"
]


@dataclass(frozen=True, slots=True)
class Standing:
    """The standing of a suite.

    Attributes:
        word: the worst outcome of a gate; without a gate whether the run is whole.
        gates: how many gates there are.
        deciding: those whose outcome is the word, in the suite's order.
    """

    word: StandingWord
    gates: int
    deciding: tuple[GateOutcome, ...]


def find_standing(result: DecidedRun) -> Standing:
    """Finds the standing: one gate that fails is enough, and all must hold."""
    gates = result.gates
    if not gates:
        return Standing("partial" if result.summary.incomplete else "no gates", 0, ())
    outcomes = {found.outcome for found in gates}
    words: tuple[StandingWord, ...] = ("fails", "not judged", "inconclusive", "holds")
    for word in words:
        if word in outcomes:
            return Standing(
                word, len(gates), tuple(found for found in gates if found.outcome == word)
            )
    return Standing("gates off", len(gates), gates)


def find_widest(conditions: Iterable[ConditionSummary]) -> ConditionSummary | None:
    """Finds the condition that pools every perturbation; None where the plan has none."""
    perturbed = [found for found in conditions if found.members]
    return max(perturbed, key=lambda found: len(found.members), default=None)


def find_worst(summary: Summary) -> ConditionSummary | None:
    """Finds the perturbation that costs most by its RD; None where no RD is defined, or one alone.

    Of equal ones the first in plan order.
    """
    known = [
        (rd.value, found)
        for found in summary.conditions
        if found.kind == "perturbation" and found.scores
        for rd in [found.scores[min(found.scores)].rd]
        if rd is not None
    ]
    return max(known, key=lambda pair: pair[0])[1] if len(known) > 1 else None
