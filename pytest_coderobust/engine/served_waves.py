"""Waves of a served model: rows for all its connections, and no more than a budget affords."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_coderobust.engine.early import find_wave_size
from pytest_coderobust.engine.guarding import ANSWERS
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.engine.spending import Spending, Sum
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.records import Cell

ROUNDS = 4
"""Rows of a wave for each row that may be on its way: the end of a wave is a barrier."""

WIDTH = 16
"""Rows on their way that are reckoned with where their number is found while asking."""


class ServedWaves:
    """The waves of one run, the same in every process of a session.

    Args:
        concurrency: rows that may be on their way at the same time; 0 where that is not known.
        spending: the budget in money or tokens; None for none.
    """

    def __init__(
        self,
        measurement: Measurement,
        ledger: Ledger,
        concurrency: int = 0,
        spending: Spending | None = None,
    ) -> None:
        self._measurement = measurement
        self._ledger = ledger
        self._width = concurrency or WIDTH
        self._spending = spending
        self._cut = 0

    def cut(self, tasks: Sequence[str], cells: Sequence[Cell]) -> int:
        """The number of tasks to ask of those left; 0 where the budget is spent."""
        run = self._measurement.run
        place, self._cut = self._cut, self._cut + 1
        with self._ledger.lease():
            noted = self._ledger.waves.read(run)
            if place < len(noted):
                return noted[place]
            count = self._count_affordable(tasks[: self._choose_size(cells)], cells)
            self._ledger.waves.note(run, place, count)
        return count

    def _choose_size(self, cells: Sequence[Cell]) -> int:
        rows = len(cells) * self._measurement.sampling.n
        least = find_wave_size(len(self._measurement.plan.tasks))
        return max(least, -(-ROUNDS * self._width // max(1, rows)))

    def _count_affordable(self, tasks: Sequence[str], cells: Sequence[Cell]) -> int:
        """The number of tasks whose missing rows fit into the budget, even in the worst case."""
        if self._spending is None:
            return len(tasks)
        self._spending.begin()
        total, rows, sampling = Sum(), 0, self._measurement.sampling
        for count, task in enumerate(tasks):
            # A perturbed prompt is judged beside its clean one.
            squares = [(task, cell) for cell in dict.fromkeys((Cell(), *cells))]
            for variant, missing in self._measurement.list_missing(squares):
                total += self._spending.worst(variant, sampling).times(missing)
                rows += missing
            if not self._spending.affords(total, looks=1 + rows // ANSWERS):
                return count
        return len(tasks)
