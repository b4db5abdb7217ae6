"""Book of the requests that get to know a served model and watch over it: cap and bill."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from pytest_coderobust.engine.spending import Spending, bound_unsure, price
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.ledger.bills import NOBODY
from pytest_coderobust.records import Bill, Tariff, Usage


class WatchBook:
    """The meter of one session: each request is held against the cap and booked when it ends.

    What is asked before a run is known, as the handshake is, belongs to the session's first run.

    Args:
        memory: opens the ledger.
        tariff: the user's prices; None for none.
        cap: gives the session's budget in money or tokens, if it has one.
    """

    def __init__(
        self,
        memory: Callable[[], Ledger],
        tariff: Tariff | None,
        cap: Callable[[], Spending | None],
    ) -> None:
        self._memory = memory
        self._tariff = tariff
        self._cap = cap
        self._run = NOBODY

    def claim(self, run: str) -> None:
        """Books on a run what was asked for none, and what will be asked."""
        if run != self._run:
            self._run = run
            self._memory().bills.claim(run)

    def turn(self) -> AbstractContextManager[object]:
        """Holds the lease where there is a cap: whoever has rows on their way holds it, too."""
        return nullcontext() if self._cap() is None else self._memory().lease()

    def reserve(self, most: Usage) -> None:
        """Reserves a request; see `Meter`.

        Raises:
            BudgetSpent: it does not fit into the cap.
        """
        if (cap := self._cap()) is not None:
            cap.reserve_single(price(most, self._prices))

    def settle(self, most: Usage, used: Usage) -> None:
        """Books a request; see `Meter`."""
        worst, told = price(most, self._prices), price(used, self._prices)
        unsure = bound_unsure(worst, told, used)
        bill = Bill(
            used,
            cost=None if self._tariff is None else told.money,
            unsure_cost=unsure.money,
            unsure_tokens=unsure.tokens,
        )
        self._memory().bills.watch(self._run, bill)
        if (cap := self._cap()) is not None:
            cap.settle_single(worst, told + unsure)

    @property
    def _prices(self) -> Tariff:
        return self._tariff or Tariff(0.0, 0.0)
