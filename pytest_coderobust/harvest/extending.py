"""Extension of a function's recorded calls by drawn ones, until its branches stop growing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from pytest_coderobust.harvest.arguments import (
    HarvestSignature,
    Named,
    decode_named,
    encode_named,
    read_seen,
)
from pytest_coderobust.harvest.barrier import Barrier
from pytest_coderobust.harvest.body_coverage import Arcs, BodyCoverage
from pytest_coderobust.harvest.cases import HarvestCall, HarvestCase, encode_case
from pytest_coderobust.harvest.objects import HarvestOriginal
from pytest_coderobust.harvest.observing import WAITED, UnusableCallError, observe, repeat_call
from pytest_coderobust.harvest.recorder import NotPlainError
from pytest_coderobust.harvest.spelling import UnwritableError

BATCH = 25
"""Calls that are drawn at a time."""
PATIENCE = 2
"""Batches in a row that may reach no new branch."""
BATCHES = 6
LONGEST_CALL = 400
"""Characters of a call's arguments, at most."""
NO_CALL = "no call of it was seen with plain data, and its annotations do not say what to draw"


class CallExtender:
    """Extends the calls of one function.

    Args:
        original: the function as the package has it.
        home: the package's folder or file.
        lines: the first line of its body, and the last.
    """

    def __init__(
        self,
        original: HarvestOriginal,
        barrier: Barrier,
        coverage: BodyCoverage,
        home: str,
        lines: Sequence[int],
    ) -> None:
        self._original = original
        self._barrier = barrier
        barrier.touched, barrier.waited = "", False
        self._coverage = coverage
        self._home = home
        self._lines = range(lines[0], lines[1] + 1)
        self._cases: dict[str, HarvestCase] = {}
        self._refused: Counter[str] = Counter()
        self._tried: set[str] = set()

    def extend(self, recorded: Iterable[Mapping[str, Any]], seed: str) -> dict[str, Any]:
        """Returns the function's cases, as JSON."""
        try:
            signature = HarvestSignature(self._original)
        except (ValueError, TypeError):
            return {"reason": "its signature cannot be read"}
        named = [read_seen(each) for each in recorded]
        reached = self._take(signature, named, recorded=True)
        if self._is_over():
            return {"reason": self._name_touched()}
        strategy = signature.make_strategy([decode_named(each) for each in named])
        if strategy is None and not self._cases:
            return {"reason": NO_CALL}
        idle = batch = 0
        while strategy is not None and batch < BATCHES and idle < PATIENCE:
            number = int(sha256(f"{seed} {batch}".encode()).hexdigest()[:8], 16)
            grown = self._take(signature, _draw(strategy, number), recorded=False)
            if self._is_over():
                return {"reason": self._name_touched()}
            idle = 0 if grown - reached else idle + 1
            reached |= grown
            batch += 1
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        if not self._cases:
            reason = self._refused.most_common(1)[0][0] if self._refused else NO_CALL
            return {"reason": reason}
        return {"cases": [encode_case(each) for each in self._cases.values()]}

    def _is_over(self) -> bool:
        """Whether a call tried what the barrier refuses, or waited."""
        return self._barrier.waited or bool(self._barrier.touched)

    def _name_touched(self) -> str:
        if self._barrier.waited:
            return WAITED
        return f"it uses files, processes, the network or the system ({self._barrier.touched})"

    def _take(self, signature: HarvestSignature, named: Iterable[Named], *, recorded: bool) -> Arcs:
        """Observes calls, keeps those that can be tests, and returns the arcs that they ran."""
        new: list[HarvestCase] = []
        for each in named:
            try:
                tagged = each if recorded else encode_named(each)
                case = self._observe(signature.make_call(tagged), recorded=recorded)
            except (UnusableCallError, NotPlainError, UnwritableError) as error:
                self._refused[str(error)] += 1
                continue
            if case is not None:
                new.append(case)
            if self._is_over():
                return frozenset()
        calls = [repeat_call(self._original, each.call, self._barrier, self._home) for each in new]
        measured = self._coverage.measure(calls, self._lines)
        for case, arcs in zip(new, measured, strict=True):
            self._cases[case.call.text] = replace(case, arcs=arcs)
        return frozenset().union(*measured)

    def _observe(self, call: HarvestCall, *, recorded: bool) -> HarvestCase | None:
        """Observes a call twice; None for one that was tried before."""
        text = call.text
        if text in self._tried:
            return None
        self._tried.add(text)
        if len(text) > LONGEST_CALL:
            raise UnusableCallError("its arguments are long")
        return observe(self._original, call, self._barrier, self._home, recorded=recorded)


def _draw(strategy: Any, number: int) -> list[Named]:
    from pytest_coderobust.harvest.drawing import draw_values

    return draw_values(strategy, BATCH, number)
