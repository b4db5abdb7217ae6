"""Scripts: which calls a set of tests makes, learned from the first solution that ends them.

Tests with fixed inputs ask every solution the same things, so the next one can be asked all at
once. Where they do not (a later argument depends on an earlier answer) a rehearsal without any
solution mostly shows it; if not the script misses, once, and from then on every solution is asked
one call at a time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, TypeAlias

from pytest_coderobust.records import Tests
from pytest_coderobust.sandbox.cage.frames import to_json

MAX_CALLS = 200
MAX_BYTES = 1 << 16
MAX_SCRIPTS = 4096

Asking: TypeAlias = tuple[Tests, str]
"""Tests and the entry point that they call."""
Calls: TypeAlias = list[Any]
"""A script: tagged calls in order. An empty one says that there is no foreseeing."""


class Scripts:
    """Remembers scripts; the oldest go first."""

    def __init__(self) -> None:
        self._known: OrderedDict[Asking, Calls] = OrderedDict()

    def get(self, asking: Asking) -> Calls | None:
        """The calls that these tests are going to make; None when that is not known."""
        return self._known.get(asking)

    def learn(self, asking: Asking, calls: Calls) -> None:
        """Keeps a script in place of the one before."""
        self._known[asking] = calls
        while len(self._known) > MAX_SCRIPTS:
            self._known.popitem(last=False)


def short(calls: Sequence[Any]) -> bool:
    """Whether calls are few and small enough to be sent with every solution."""
    return 0 < len(calls) <= MAX_CALLS and len(to_json(calls)) <= MAX_BYTES
