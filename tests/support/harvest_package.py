"""A small package of its own, for harvests that take seconds."""

from __future__ import annotations

from pathlib import Path

MODULE = '''
"""Small functions of every kind."""

import random
import shutil
from collections.abc import Iterable

__all__ = ["clamp", "pairs"]
LOW = 0


def clamp(value: int, high: int = 9) -> int:
    """Keeps a number between LOW and high.

    >>> clamp(12)
    9
    """
    if high < LOW:
        raise ValueError("no room")
    if value < LOW:
        return LOW
    if value > high:
        return high
    return value


def pairs(items: list[int]) -> Iterable[tuple[int, int]]:
    """Yields each item with the next one."""
    for at in range(len(items) - 1):
        yield items[at], items[at + 1]


def erase(path: str) -> None:
    """Deletes a folder."""
    shutil.rmtree(path)


def roll(sides: int) -> int:
    """Rolls a die."""
    return random.randrange(1, 10**9) + sides


def same(text: str) -> None:
    """Looks at a text and says nothing."""
    text.upper()


class Counter:
    """Counts."""

    def __init__(self, step: int = 1) -> None:
        self.step = step
        self.total = 0

    def add(self, times: int) -> int:
        """Adds steps and returns the total."""
        for _ in range(times):
            self.total += self.step
        return self.total


bound = clamp
'''
TESTS = """
from small import core

def test_core():
    assert [core.clamp(n) for n in (-3, 0, 4, 9, 12)] == [0, 0, 4, 9, 9]
    assert core.clamp(5, high=3) == 3
    assert list(core.pairs([1, 2, 3])) == [(1, 2), (2, 3)]
    assert core.roll(6) > 6
    counter = core.Counter(3)
    assert [counter.add(n) for n in (0, 1, 2)] == [0, 3, 9]
"""


def write_package(folder: Path) -> Path:
    """Writes the package and its tests below a folder; returns the file of tests."""
    inner = folder / "small"
    inner.mkdir()
    (inner / "__init__.py").write_text("from small.core import bound, clamp, pairs\n")
    (inner / "core.py").write_text(MODULE)
    tests = folder / "test_core.py"
    tests.write_text(TESTS)
    return tests
