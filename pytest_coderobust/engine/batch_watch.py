"""Watch over one batch: rows that have ended are stored at once, and progress is told."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from pytest_coderobust.engine.events import BatchAdvanced, Listener
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.watch import GenerationWatch
from pytest_coderobust.records import Completion

SECONDS_BETWEEN_EVENTS = 0.25


class BatchWatch(GenerationWatch):
    """Stores the rows of a batch as they end, and tells a listener of its progress.

    A row that was stored by an earlier run stays as it was, as the ledger promises. The rest of the
    batch is not changed by it: the model goes on with the batch that it was given.

    Args:
        keys: the key of each row, in the order of the call.
    """

    def __init__(self, keys: Sequence[str], ledger: Ledger, listen: Listener) -> None:
        self._keys = keys
        self._ledger = ledger
        self._listen = listen
        self._told = time.monotonic()
        self._read = 0.0
        self._tokens = self._steps = 0
        self._ended: set[int] = set()
        self.threads = ""
        """The processor threads that the network ran with, "" where it did not say."""

    def read(self, share: float) -> None:
        self._read = share
        self._tell()

    def wrote(self, tokens: int) -> None:
        self._read = 1.0
        self._tokens += tokens
        self._steps += bool(tokens)
        self._tell()

    def ended(self, rows: Mapping[int, Completion]) -> None:
        self._ledger.add_completions({self._keys[row]: found for row, found in rows.items()})
        self._ended.update(rows)

    def ran(self, threads: str) -> None:
        self.threads = threads

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_EVENTS:
            self._told = now
            self._listen(BatchAdvanced(self._read, self._tokens, self._steps, len(self._ended)))
