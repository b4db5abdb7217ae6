"""Watch: the engine's view of a batch while a model still writes it.

The watch lies in the context of a call instead of among its arguments, so that backends which tell
nothing, and wrappers around those that do, keep the one signature of `generate`. A model that is
asked in between, as editors do, answers outside the watch (`unwatched`), or its rows would be taken
for those of the batch.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from pytest_coderobust.records import Completion


class GenerationWatch:
    """A watch that ignores everything; a subclass overrides what it wants to know."""

    def read(self, share: float) -> None:
        """Hears that the network has gone through this share, from 0 to 1, of reading prompts."""

    def wrote(self, tokens: int) -> None:
        """Hears that `tokens` more were written, over all rows."""

    def ended(self, rows: Mapping[int, Completion]) -> None:
        """Hears the completions of rows that have ended, by their place in the call."""

    def ran(self, threads: str) -> None:
        """Hears how many processor threads the network ran with, and who chose them."""


IGNORED = GenerationWatch()

_current: ContextVar[GenerationWatch] = ContextVar("watch", default=IGNORED)


def find_watch() -> GenerationWatch:
    """Finds the watch of the call that runs now."""
    return _current.get()


@contextmanager
def watched(watch: GenerationWatch) -> Generator[None]:
    """Context in which a model that is asked tells this watch."""
    token = _current.set(watch)
    try:
        yield
    finally:
        _current.reset(token)


def unwatched() -> AbstractContextManager[None]:
    """Context in which a model that is asked tells nobody."""
    return watched(IGNORED)


class WatchedPart(GenerationWatch):
    """A watch of some rows of a call, whose places are translated to those in the call."""

    def __init__(self, whole: GenerationWatch, places: Sequence[int]) -> None:
        self._whole = whole
        self._places = places

    def read(self, share: float) -> None:
        self._whole.read(share)

    def wrote(self, tokens: int) -> None:
        self._whole.wrote(tokens)

    def ended(self, rows: Mapping[int, Completion]) -> None:
        self._whole.ended({self._places[row]: found for row, found in rows.items()})

    def ran(self, threads: str) -> None:
        self._whole.ran(threads)
