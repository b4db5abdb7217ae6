"""Scripts: which calls a set of tests makes, learned before any solution or from the first one.

Tests with fixed inputs ask every solution the same things, so it can be asked all at once. A
rehearsal without any solution shows what they ask, or that a later argument depends on an earlier
answer; where it shows the wrong thing the script misses, once, and from then on every solution is
asked one call at a time.
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
    """The calls of one set of tests, None where they are not to be foreseen.

    Attributes:
        decided: nothing that a solution shows changes it any more.
    """

    calls: list[Any] | None
    decided: bool = True


class Scripts:
    """Remembers scripts by tests and entry point; the oldest go first."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Tests, str], Script] = OrderedDict()

    def foresee(self, tests: Tests, entry_point: str) -> list[Any] | None:
        """The calls that these tests are going to make, or None when that is not known."""
        script = self._known.get((tests, entry_point))
        return script.calls if script is not None else None

    def seen(self, tests: Tests, entry_point: str) -> bool:
        """Whether these tests have been rehearsed."""
        return (tests, entry_point) in self._known

    def decided(self, tests: Tests, entry_point: str) -> bool:
        """Whether it is settled how to ask for these tests."""
        script = self._known.get((tests, entry_point))
        return script is not None and script.decided

    def rehearse(self, tests: Tests, entry_point: str, calls: list[Any]) -> None:
        """Keeps what a rehearsal asked for; none: a solution may show more."""
        self.learn(tests, entry_point, calls)
        self._known[tests, entry_point].decided = bool(calls)

    def miss(self, tests: Tests, entry_point: str) -> None:
        """Gives up on tests that asked for something else."""
        self._known[tests, entry_point].calls = None

    def learn(self, tests: Tests, entry_point: str, calls: list[Any]) -> None:
        """Keeps what a run to the tests' end asked for, if it is short; none: never foresee."""
        short = 0 < len(calls) <= MAX_CALLS and len(to_json(calls)) <= MAX_BYTES
        self._known[tests, entry_point] = Script(calls if short else None)
        while len(self._known) > MAX_SCRIPTS:
            self._known.popitem(last=False)
