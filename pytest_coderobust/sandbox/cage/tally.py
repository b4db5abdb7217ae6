"""Counters that a candidate's process shares with the zygote, so that they outlive its end.

Whatever a hostile candidate writes there is a number. Counts have no part in the verdict, and
nothing here is parsed.
"""

from __future__ import annotations

WORD = 8


class UseCounts:
    """`size` counters from 0 in memory that a fork goes on sharing."""

    def __init__(self, size: int) -> None:
        import mmap  # only checks that count pay for it; the library is readable in every tier

        self._memory = mmap.mmap(-1, size * WORD)
        self._view = memoryview(self._memory).cast("Q")

    def add(self, index: int) -> None:
        """Counts one more; stays where it is at the end of the range."""
        self._view[index] = min(self._view[index] + 1, (1 << 64) - 1)

    def take(self) -> list[int]:
        """Returns every counter and frees their memory."""
        found = self._view.tolist()
        self._view.release()
        self._memory.close()
        return found
