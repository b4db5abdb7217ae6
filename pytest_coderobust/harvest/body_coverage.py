"""Branch coverage of one function's body, call by call, as coverage.py measures it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Arcs = frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class BranchCount:
    """Ways out of the branching lines of a body, and how many of them were taken."""

    taken: int
    total: int


class BodyCoverage:
    """Measures the functions of one file.

    Args:
        path: the file as its code objects name it.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._measuring: Any = open_coverage(path)
        self._number = 0

    def measure(self, calls: Sequence[Callable[[], object]], lines: range) -> list[Arcs]:
        """Makes calls, and returns the arcs that each ran within some lines."""
        first = self._number
        self._number += len(calls)
        self._measuring.start()
        try:
            for number, call in enumerate(calls, start=first):
                self._measuring.switch_context(str(number))
                call()
        finally:
            self._measuring.stop()
        data = self._measuring.get_data()
        found: list[Arcs] = []
        for number in range(first, self._number):
            data.set_query_context(str(number))
            arcs: Iterable[tuple[int, int]] = data.arcs(self._path) or ()
            found.append(frozenset(a for a in arcs if abs(a[0]) in lines or abs(a[1]) in lines))
        data.set_query_contexts(None)
        return found

    def count(self, numbers: range, lines: range) -> BranchCount:
        """Counts the branches of a body that the calls of these numbers took."""
        data = self._measuring.get_data()
        data.set_query_contexts([f"^{number}$" for number in numbers])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stats: dict[int, tuple[int, int]] = self._measuring.branch_stats(self._path)
        data.set_query_contexts(None)
        own = [stats[line] for line in stats if line in lines]
        return BranchCount(sum(taken for _, taken in own), sum(total for total, _ in own))

    @property
    def number(self) -> int:
        """The number of the next call."""
        return self._number


def open_coverage(path: str) -> Any:
    """Opens coverage.py for the branches of one file, in memory."""
    from coverage import Coverage  # the command looked whether the extra is installed

    found = Coverage(data_file=None, branch=True, config_file=False, include=[path], messages=False)
    found.set_option("run:core", "ctrace")  # the only one that knows contexts
    found.set_option("run:disable_warnings", ["no-data-collected", "module-not-measured"])
    return found
