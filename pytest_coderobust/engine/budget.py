"""Limits on completions and time: of a run, and of a hunt, which limits each task too."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from pytest_coderobust.errors import UsageError

EACH = 200
"""Default limit of the completions of one task of a hunt."""

_MINUTES = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of a hunt, or of a run (`completions` and `seconds`).

    Completions are counted as asked, whether a ledger had them or not, so that the same hunt
    finds the same with and without one.
    """

    each: int = EACH
    completions: int | None = None
    seconds: float | None = None


def parse_budget(text: str, each: int = EACH) -> Budget:
    """Reads a budget as users write it: "30m", "90s", "2h", "5000" completions, or "5000,2h".

    Raises:
        UsageError: the text is none of these.
    """
    completions: int | None = None
    seconds: float | None = None
    for word in text.replace(" ", "").split(","):
        timed = _MINUTES.fullmatch(word)
        if timed:
            seconds = float(timed[1]) * _SECONDS[timed[2]]
        elif word.isdecimal() and int(word):
            completions = int(word)
        else:
            raise UsageError(
                f"budget {text!r} must be a time (30m, 90s, 2h), completions (5000), "
                "or both (5000,2h)"
            )
    return Budget(each, completions, seconds)


@dataclass(slots=True)
class Purse:
    """The rest of a hunt's budget."""

    budget: Budget
    spent: int = 0
    _started: float = field(default_factory=time.monotonic)

    def affords(self, spent_on_task: int, more: int) -> bool:
        """Whether a task on which `spent_on_task` were spent may have `more` completions."""
        total = self.budget.completions
        return (
            spent_on_task + more <= self.budget.each
            and (total is None or self.spent + more <= total)
            and not self.late
        )

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        limit = self.budget.seconds
        return limit is not None and time.monotonic() - self._started > limit


@dataclass(slots=True)
class Allowance:
    """The rest of a run's budget, shared by its suites.

    Attributes:
        completions: None for no limit. Counted as asked, whether a ledger had them or not.
        deadline: Unix time in seconds, which all processes share; None for no limit.
    """

    completions: int | None = None
    deadline: float | None = None

    def tasks(self, cost: int) -> int | None:
        """The number of tasks of `cost` completions each that can still be asked; None for any."""
        return None if self.completions is None else self.completions // max(1, cost)

    def spend(self, completions: int) -> None:
        if self.completions is not None:
            self.completions -= completions

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return self.deadline is not None and time.time() >= self.deadline
