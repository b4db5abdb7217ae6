"""Choice of a number of processor threads, from the time that a network's own passes take.

A pass is one layer's part of one step: the layers of a network do equal work, so passes of one step
can be compared with one another, and a slow step is over in a fraction of itself. Nothing here
knows torch or reads a clock.
"""

from __future__ import annotations

from collections.abc import Iterator

PASSES = 2
"""Passes of a count that are compared at least, behind a first one that wakes the threads up."""

ENOUGH = 0.1
"""Seconds of passes that are compared at least: many time slices of the scheduler."""

HOPELESS = 2.0
"""Slowness against the best so far at which the fastest of a few passes ends a count's trial."""

ALIKE = 1.05
"""Slowness against the best up to which fewer threads are chosen: they leave room for others."""

SLOWER = 1.5
"""Slowness against the time at the choice from which the choice is tried again."""

NOTICED = 0.5
"""Seconds of passes whose mean must be slower."""

REVIEW = 60.0
"""Seconds after which a choice is tried again in any case: the machine may have become quiet."""

LONGEST_REVIEW = 600.0
"""The time doubles up to this one while trials end as the one before."""


def list_counts(limit: int) -> Iterator[int]:
    """Lists the counts that are tried: 1, 2, 4 and so on, and the limit."""
    count = 1
    while count < limit:
        yield count
        count *= 2
    yield limit


class ThreadTrial:
    """A trial of growing thread counts, which ends when more do not help.

    Args:
        tokens: those of the passes that are compared.
    """

    def __init__(self, limit: int, tokens: int) -> None:
        self.tokens = tokens
        self._left = list_counts(limit)
        self.threads = next(self._left)
        self.done = False
        self.means: dict[int, float] = {}
        self._passes: list[float] = []
        self._doubted = float("inf")
        self._useless = 0

    @property
    def best(self) -> int:
        """The fewest threads that are about as fast as the fastest."""
        fastest = min(self.means.values())
        return min(count for count, mean in self.means.items() if mean <= fastest * ALIKE)

    def record(self, seconds: float) -> None:
        """Records a pass with `threads` threads, and goes on to the next count when it may."""
        self._passes.append(seconds)
        counted = self._passes[1:]
        fastest = min(self.means.values(), default=float("inf"))
        hopeless = len(counted) > 0 and min(self._passes) > HOPELESS * fastest
        if not hopeless and (len(counted) < PASSES or sum(counted) < ENOUGH):
            return
        mean = min(self._doubted, sum(counted) / len(counted))
        self._passes = []
        # Something else may have had the processor for a moment: that more threads do not help is
        # asked twice. That they help is not chance.
        if mean * ALIKE >= fastest and not hopeless and self._doubted == float("inf"):
            self._doubted = mean
            return
        self.means[self.threads], self._doubted = mean, float("inf")
        # One count that does not help may be chance, or a core's second thread; two are an answer.
        self._useless = 0 if mean * ALIKE < fastest else self._useless + 1
        following = next(self._left, None)
        if following is None or hopeless or self._useless == 2:
            self.done = True
        else:
            self.threads = following


class ThreadChoice:
    """The number of threads for passes of one kind; tried again when it may have become wrong."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._trial: ThreadTrial | None = None
        self.chosen: int | None = None
        """None until the first trial has ended."""
        self._tokens = 0
        self._mean = 0.0
        self._chosen_at = 0.0
        self._patience = REVIEW
        self._passes = 0
        self._seconds = 0.0
        self._slower = False

    @property
    def trying(self) -> bool:
        """Whether a trial goes on."""
        return self._trial is not None

    def choose(self, tokens: int, now: float) -> int:
        """Chooses the threads of the pass that begins now, over `tokens` tokens."""
        trial = self._trial
        if trial is not None and not _alike(trial.tokens, tokens, 1.25):
            trial = None
        elif trial is None and self.chosen is not None and not self._is_due(tokens, now):
            return self.chosen
        self._trial = trial or ThreadTrial(self._limit, tokens)
        return self._trial.threads

    def record(self, seconds: float, now: float) -> None:
        """Records that the pass took this long, and ends now."""
        if self._trial is not None:
            self._trial.record(seconds)
            if self._trial.done:
                self._settle(self._trial, now)
            return
        self._passes += 1
        self._seconds += seconds
        if self._passes >= PASSES and self._seconds >= NOTICED:
            self._slower = self._seconds > self._passes * self._mean * SLOWER
            self._passes, self._seconds = 0, 0.0

    def _is_due(self, tokens: int, now: float) -> bool:
        waited = now - self._chosen_at >= self._patience
        return waited or self._slower or not _alike(self._tokens, tokens, 2.0)

    def _settle(self, trial: ThreadTrial, now: float) -> None:
        best = trial.best
        same = best == self.chosen and not self._slower
        self._patience = min(self._patience * 2, LONGEST_REVIEW) if same else REVIEW
        self._trial, self.chosen = None, best
        self._tokens, self._mean, self._chosen_at = trial.tokens, trial.means[best], now
        self._passes, self._seconds, self._slower = 0, 0.0, False


def _alike(one: int, other: int, factor: float) -> bool:
    """Whether two numbers differ by less than a factor."""
    return max(one, other) <= factor * min(one, other)
