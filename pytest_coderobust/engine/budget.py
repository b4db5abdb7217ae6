"""Limits on completions, time, money and tokens: of a run, and of a hunt with its tasks."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from pytest_coderobust.errors import UsageError

EACH = 200
"""Default limit of the completions of one task of a hunt."""

_MINUTES = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_MONEY = re.compile(r"(\d+(?:\.\d+)?)usd", re.I)
_TOKENS = re.compile(r"(\d+(?:\.\d+)?)([kM]?)tok", re.I)
_THOUSANDS = {"": 1.0, "k": 1e3, "m": 1e6}


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of a hunt, or of a run, for which `each` means nothing.

    `money` and `tokens` bound what a served model is sent. Completions are counted as asked,
    whether a ledger had them or not, so that the same hunt finds the same with and without one.
    """

    each: int = EACH
    completions: int | None = None
    seconds: float | None = None
    money: float | None = None
    tokens: int | None = None

    @property
    def spends(self) -> bool:
        """Whether it bounds what a served model costs."""
        return self.money is not None or self.tokens is not None


def parse_budget(text: str, each: int = EACH) -> Budget:
    """Reads a budget as users write it: "30m", "90s", "2h", "5000" completions, "5usd", "2Mtok".

    Several are separated by commas: "5000,2h".

    Raises:
        UsageError: the text is none of these.
    """
    found: dict[str, float] = {}
    for word in text.replace(" ", "").split(","):
        if timed := _MINUTES.fullmatch(word):
            found["seconds"] = float(timed[1]) * _SECONDS[timed[2]]
        elif word.isdecimal() and int(word):
            found["completions"] = int(word)
        elif money := _MONEY.fullmatch(word):
            found["money"] = float(money[1])
        elif tokens := _TOKENS.fullmatch(word):
            found["tokens"] = round(float(tokens[1]) * _THOUSANDS[tokens[2].lower()])
        else:
            raise UsageError(
                f"budget {text!r} must be a time (30m, 90s, 2h), completions (5000), money (5usd) "
                "or tokens (2Mtok, 500ktok), or several by commas (5000,2h)"
            )
    completions, tokens_ = found.get("completions"), found.get("tokens")
    return Budget(
        each,
        None if completions is None else int(completions),
        found.get("seconds"),
        found.get("money"),
        None if tokens_ is None else int(tokens_),
    )


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
