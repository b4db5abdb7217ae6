"""Events that the engine sends to a listener while it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SelfCheckStarted:
    """The oracle self-check begins to judge `checks` solutions that the ledger does not have."""

    checks: int


@dataclass(frozen=True, slots=True)
class SelfCheckDone:
    """The oracle self-check ended, or was interrupted."""


@dataclass(frozen=True, slots=True)
class WindowStarted:
    """A window needs `rows` completions; it is number `index` of `count`, counted from 1.

    `count` is 0 where the number of windows is not known yet.
    """

    suite: str
    index: int
    count: int
    rows: int


@dataclass(frozen=True, slots=True)
class BatchStarted:
    """The model begins to answer a batch of `rows`, with up to `steps` tokens each."""

    rows: int
    steps: int


@dataclass(frozen=True, slots=True)
class BatchAdvanced:
    """The batch in work got further; sent a few times a second at most.

    Attributes:
        read: share of the reading of prompts that is done, from 0 to 1; 1 once tokens are written.
        tokens: tokens written so far, over all rows of the batch.
        steps: how often the network wrote a token for every row that goes on.
        ended: rows that have ended, which the ledger has already.
    """

    read: float
    tokens: int
    steps: int
    ended: int


@dataclass(frozen=True, slots=True)
class RowsGenerated:
    """A batch of `rows` completions, with `tokens` in all, was generated and stored."""

    rows: int
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class ChecksJudged:
    """`checks` verdicts were reached and stored."""

    checks: int


@dataclass(frozen=True, slots=True)
class WindowDone:
    """The window ended: all of it is in the ledger, unless an error or Ctrl-C interrupted it."""


@dataclass(frozen=True, slots=True)
class HuntStarted:
    """A search for breaking prompts begins on `tasks` tasks of a suite."""

    suite: str
    tasks: int


@dataclass(frozen=True, slots=True)
class HuntAdvanced:
    """A hunt's progress: tasks done, failures found and completions asked so far."""

    done: int
    found: int
    completions: int


@dataclass(frozen=True, slots=True)
class HuntDone:
    """The hunt ended, or was interrupted."""


Event = (
    SelfCheckStarted
    | SelfCheckDone
    | WindowStarted
    | BatchStarted
    | BatchAdvanced
    | RowsGenerated
    | ChecksJudged
    | WindowDone
    | HuntStarted
    | HuntAdvanced
    | HuntDone
)
Listener = Callable[[Event], None]


def silent(_event: Event) -> None:
    """Ignores every event."""
