"""What the engine tells whoever listens while it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SelfCheckStarted:
    """The oracle self-check begins to judge `checks` solutions that are in no ledger yet."""

    checks: int


@dataclass(frozen=True, slots=True)
class SelfCheckDone:
    """The oracle self-check is over, or was broken off."""


@dataclass(frozen=True, slots=True)
class WindowStarted:
    """A window needs `rows` completions; it is number `index` of `count`, counted from 1.

    `count` is 0 where nobody knows yet how many there will be.
    """

    suite: str
    index: int
    count: int
    rows: int


@dataclass(frozen=True, slots=True)
class RowsGenerated:
    """A batch of `rows` completions was written and stored."""

    rows: int


@dataclass(frozen=True, slots=True)
class ChecksJudged:
    """`checks` verdicts were reached and stored."""

    checks: int


@dataclass(frozen=True, slots=True)
class WindowDone:
    """The window is over: all of it is in the ledger, unless an error or Ctrl-C broke it off."""


@dataclass(frozen=True, slots=True)
class HuntStarted:
    """A search for breaking prompts begins on `tasks` tasks of a suite."""

    suite: str
    tasks: int


@dataclass(frozen=True, slots=True)
class HuntAdvanced:
    """So many of a hunt's tasks are done, found broken, and completions were asked so far."""

    done: int
    found: int
    completions: int


@dataclass(frozen=True, slots=True)
class HuntDone:
    """The hunt is over, or was broken off."""


Event = (
    SelfCheckStarted
    | SelfCheckDone
    | WindowStarted
    | RowsGenerated
    | ChecksJudged
    | WindowDone
    | HuntStarted
    | HuntAdvanced
    | HuntDone
)
Listener = Callable[[Event], None]


def silent(_event: Event) -> None:
    """The listener of those who do not listen."""
