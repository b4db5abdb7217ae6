"""Guard of a model that is served: the answers between two good looks stand or fall together.

The code that asks for completions holds the ledger's lease, and does this:

    guard.begin()
    for ... in backend.stream(rows, sampling):
        guard.store({key: completion})
        # Once `guard.due` is true: no new row until nothing is on its way, then guard.look().
    guard.end_window()  # nothing is on its way

and the session calls `guard.finish()` before anything is concluded. After an exception there is no
look: the next `begin` or `settle`, of whatever process, looks before it takes what was stored for
answers of this model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from pytest_coderobust.errors import ModelError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import Backend, OwnPrompt, find_guarded
from pytest_coderobust.models.metering import bound_look
from pytest_coderobust.records import Bill, Completion, Usage

ANSWERS = 1000
"""Answers after which a look is due."""

SECONDS = 600.0
"""Time after which a look is due."""


class Guard:
    """The guard of one backend in one session; of a backend that is not guarded it only stores.

    Args:
        now: reads a clock, in seconds.
        book: books what was and will be asked to watch over the model on the run in work.
    """

    def __init__(
        self,
        backend: Backend,
        ledger: Ledger,
        now: Callable[[], float] = time.time,
        book: Callable[[str], None] = lambda _run: None,
    ) -> None:
        self._backend = backend
        self._guarded = find_guarded(backend)
        self._ledger = ledger
        self._now = now
        self._book = book
        self._interval: int | None = None
        self._answers = 0
        self._looked: float | None = None
        self._lost = ""
        self._own: dict[OwnPrompt, None] = {}

    def add_prompt(self, prompt: str, language: str) -> None:
        """Makes a prompt of a suite a canary of this session."""
        self._own[prompt, language] = None

    def settle(self) -> None:
        """Decides about what a session left open when it was killed, before anything is read.

        Raises:
            ModelError: as `look`.
        """
        if self._guarded is not None and self._is_open():
            with self._ledger.lease():
                if self._is_open():  # else another process was at work, and looked meanwhile
                    self.look()

    def bound_look(self) -> Usage:
        """Bounds what the next look costs."""
        return bound_look(self._backend, tuple(self._own))

    def begin(self, run: str = "") -> None:
        """Looks before the first row; later only where others left something open, or once due.

        A process that saw another model ends its own items alone. The others look before they ask
        again: what they know of the model is older than that.

        Args:
            run: the one in work, which pays for looks.

        Raises:
            ModelError: as `look`.
        """
        if self._guarded is None:
            return
        if self._lost:
            raise ModelError(self._lost)
        if run:
            self._book(run)
        found = self._ledger.intervals.open(self._guarded.identity.digest)
        foreign = found != (() if self._interval is None else (self._interval,))
        late = self._looked is None or self._now() - self._looked >= SECONDS
        if foreign or late or self._answers >= ANSWERS or self._was_forgotten():
            self.look()

    @property
    def due(self) -> bool:
        """Whether enough was stored, or enough time went by, for another look."""
        if self._guarded is None or self._looked is None:
            return False
        return self._answers >= ANSWERS or self._now() - self._looked >= SECONDS

    def store(
        self,
        found: Mapping[str, Completion],
        run: str = "",
        bill: Bill | None = None,
        told: Mapping[str, str] | None = None,
    ) -> None:
        """Stores completions in one transaction, noted with the interval they were asked in.

        Args:
            run, bill: what they cost, and the run that it is booked on.
            told: the server's words about those that it refused.
        """
        if self._guarded is not None and self._interval is None:
            assert self._looked is not None, "begin() comes first"
            model = self._guarded.identity.digest
            self._interval = self._ledger.intervals.begin(model, self._looked)
        if bill is None:
            self._ledger.add_completions(found, interval=self._interval)
        else:
            self._ledger.add_answers(found, run, bill, interval=self._interval, told=told)
        self._answers += len(found)

    def book(self, run: str, bill: Bill) -> None:
        """Books what may have been spent without an answer."""
        self._ledger.add_answers({}, run, bill)

    def look(self) -> None:
        """Looks at the model: what is open is kept or forgotten.

        Raises:
            ModelError: another model answers, or none.
        """
        if self._guarded is None:
            return
        found = self._guarded.look(tuple(self._own))
        model = self._guarded.identity.digest
        self._interval = None
        self._answers = 0
        if not found.same:
            forgotten = self._ledger.intervals.forget(model, self._now())
            self._lost = f"{found.told}\nforgotten answers since the last good look: {forgotten}"
            raise ModelError(self._lost)
        self._looked = self._now()
        self._ledger.intervals.keep(model, self._looked)

    def end_window(self) -> None:
        """Looks behind the last row of a window, where anything was stored.

        Raises:
            ModelError: as `look`.
        """
        if self._interval is not None:
            self.look()

    def finish(self) -> None:
        """Looks at the end of something that is told or kept, where anything waits for it.

        Raises:
            ModelError: as `look`; what was found once is told again.
        """
        if self._lost:
            raise ModelError(self._lost)
        self.settle()  # another process may have left something open, and ended

    def _was_forgotten(self) -> bool:
        """Whether answers of the model were taken back since this process looked."""
        assert self._guarded is not None
        ended = self._ledger.intervals.forgotten(self._guarded.identity.digest)
        return ended is not None and self._looked is not None and ended >= self._looked

    def _is_open(self) -> bool:
        assert self._guarded is not None
        return bool(self._ledger.intervals.open(self._guarded.identity.digest))
