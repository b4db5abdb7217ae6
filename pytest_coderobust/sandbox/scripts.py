"""Scripts: which calls a set of tests makes, learned from the first solution they judged.

Tests with fixed inputs ask every solution the same things, so the next one can be asked all at
once. Where they do not (a later argument depends on an earlier answer) the script misses, and
after a few misses nobody asks it again.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from pytest_coderobust.records import Tests
from pytest_coderobust.sandbox.cage.frames import to_json

MAX_CALLS = 200  # one message each; more would not fit where they wait to be read
MAX_BYTES = 1 << 16
MAX_MISSES = 3
MAX_SCRIPTS = 4096


@dataclass(slots=True)
class Script:
    """The calls of one set of tests, None while they are not worth foreseeing."""

    calls: list[Any] | None
    misses: int = 0


class Scripts:
    """Remembers scripts by tests and entry point; the oldest go first."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Tests, str], Script] = OrderedDict()

    def foresee(self, tests: Tests, entry_point: str) -> list[Any] | None:
        """The calls that these tests are going to make, or None when that is not known."""
        script = self._known.get((tests, entry_point))
        if script is None or script.misses >= MAX_MISSES:
            return None
        return script.calls

    def miss(self, tests: Tests, entry_point: str) -> None:
        """Counts a run that asked for something else."""
        self._known[tests, entry_point].misses += 1

    def learn(self, tests: Tests, entry_point: str, calls: list[Any]) -> None:
        """Keeps what a live run asked for, if it is short."""
        short = 0 < len(calls) <= MAX_CALLS and len(to_json(calls)) <= MAX_BYTES
        script = self._known.setdefault((tests, entry_point), Script(None))
        if script.calls is not None and script.calls[: len(calls)] == calls:
            return  # a run that ended early; the longer script serves it too
        script.calls = calls if short else None
        while len(self._known) > MAX_SCRIPTS:
            self._known.popitem(last=False)
