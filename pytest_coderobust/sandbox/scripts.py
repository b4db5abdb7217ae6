"""Scripts: which calls a set of tests makes, learned from the first solution they judged.

Tests with fixed inputs ask every solution the same things, so the next one can be asked all at
once. Where they do not (a later argument depends on an earlier answer) a rehearsal without any
solution mostly shows it; if not the script misses, once, and from then on every solution is asked
one call at a time.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from pytest_coderobust.records import Tests
from pytest_coderobust.sandbox.cage.frames import to_json

MAX_CALLS = 200
MAX_BYTES = 1 << 16
MAX_SCRIPTS = 4096


@dataclass(slots=True)
class Script:
    """The calls of one set of tests, None where they are not to be foreseen."""

    calls: list[Any] | None


class Scripts:
    """Remembers scripts by tests and entry point; the oldest go first."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Tests, str], Script] = OrderedDict()

    def foresee(self, tests: Tests, entry_point: str) -> list[Any] | None:
        """The calls that these tests are going to make, or None when that is not known."""
        script = self._known.get((tests, entry_point))
        return script.calls if script is not None else None

    def knows(self, tests: Tests, entry_point: str) -> bool:
        """Whether it has been decided how to ask for these tests."""
        return (tests, entry_point) in self._known

    def miss(self, tests: Tests, entry_point: str) -> None:
        """Gives up on tests that asked for something else."""
        self._known[tests, entry_point].calls = None

    def learn(self, tests: Tests, entry_point: str, calls: list[Any]) -> None:
        """Keeps what a run to the tests' end asked for, if it is short; none: never foresee."""
        short = 0 < len(calls) <= MAX_CALLS and len(to_json(calls)) <= MAX_BYTES
        self._known[tests, entry_point] = Script(calls if short else None)
        while len(self._known) > MAX_SCRIPTS:
            self._known.popitem(last=False)
