"""Pace of generation: tokens per second, and an estimate of the time that is left.

Everything is computed from events and the times at which they came; nothing here reads a clock.
"""

from __future__ import annotations

from pytest_coderobust.engine.events import BatchAdvanced, BatchStarted, RowsGenerated

MINUTE = 60.0
HOUR = 3600.0


class GenerationPace:
    """The pace of one window or hunt, from its events.

    Args:
        rows: completions that the window lacks; None where their number is not known.
    """

    def __init__(self, rows: int | None) -> None:
        self.rows = rows
        self._finished = 0
        self._seconds = 0.0
        self._tokens = 0
        self._batch: BatchStarted | None = None
        self._began = self._writing = self._now = 0.0
        self._seen = BatchAdvanced(0.0, 0, 0, 0)

    @property
    def done(self) -> int:
        """Rows that have ended; a batch that is repeated may have more rows than are missing."""
        ended = self._finished + self._seen.ended
        return ended if self.rows is None else min(self.rows, ended)

    def start_batch(self, batch: BatchStarted, now: float) -> None:
        self._batch, self._began, self._writing, self._now = batch, now, now, now
        self._seen = BatchAdvanced(0.0, 0, 0, 0)

    def advance(self, seen: BatchAdvanced, now: float) -> None:
        if not seen.steps:
            self._writing = now
        self._seen, self._now = seen, now

    def end_batch(self, generated: RowsGenerated, now: float) -> None:
        self._finished += generated.rows
        self._tokens += generated.tokens
        self._seconds += now - self._began
        self._batch, self._now = None, now
        self._seen = BatchAdvanced(0.0, 0, 0, 0)

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens of the batch in work, by the time since its prompts were read; else of all."""
        if self._seen.tokens and self._now > self._writing:
            return self._seen.tokens / (self._now - self._writing)
        return self._tokens / self._seconds if self._tokens and self._seconds else None

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the time until the window's last row; None while there is no ground for one.

        Finished batches say how long a row takes. Before there is one, each row counts as if it
        wrote all the tokens it may, so the estimate is the most that it can be.
        """
        batch, elapsed = self._batch, self._now - self._began
        if self.rows is None:
            return None
        if self._finished:
            a_row = self._seconds / self._finished
        elif batch is not None and self._seen.steps:
            a_step = (self._now - self._writing) / self._seen.steps
            a_row = (self._writing - self._began + a_step * batch.steps) / batch.rows
        else:
            return None
        in_work = batch.rows if batch is not None else 0
        later = max(0, self.rows - self._finished - in_work)
        return max(0.0, a_row * in_work - elapsed * bool(batch)) + a_row * later

    def describe(self) -> str:
        """Describes the pace in a few words, "" where nothing is known yet."""
        found = [self._describe_reading(), self._describe_rate(), self._describe_end()]
        return ", ".join(filter(None, found))

    def _describe_reading(self) -> str:
        read = self._seen.read
        return f"reading prompts {read:.0%}" if self._batch is not None and 0 < read < 1 else ""

    def _describe_rate(self) -> str:
        rate = self.tokens_per_second
        return f"{rate:.3g} tokens/s" if rate is not None else ""

    def _describe_end(self) -> str:
        left = self.seconds_left
        if left is None:
            return ""
        return f"{'' if self._finished else 'at most '}{format_seconds(left)} left"


def format_seconds(seconds: float) -> str:
    """Formats a time as people say it: "40 s", "12 min", "3 h 20 min"."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    minutes = round(seconds / MINUTE)
    if minutes < HOUR / MINUTE:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
