"""Filling of windows: what the ledger lacks of a window is generated and judged.

A model that answers in batches fills one window at a time. A served model is asked the rows of the
next windows as soon as the current one has none left to send, in one stream, and each window is
filled when its own rows are stored.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pytest_coderobust.engine.completions import CompletionStore
from pytest_coderobust.engine.events import Listener, WindowDone, WindowStarted
from pytest_coderobust.engine.row_feed import KeyedRow
from pytest_coderobust.engine.streaming import Answer, Clock
from pytest_coderobust.engine.verdicts import JudgeBrake, VerdictStore
from pytest_coderobust.engine.windows import Windows
from pytest_coderobust.errors import ModelError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import is_streaming
from pytest_coderobust.records import Completion, Sampling, Square, Task, Variant
from pytest_coderobust.sandbox.check import Check

SECONDS_AHEAD = 300.0
"""Time after which a stream looks no further ahead, so that pytest can show what was found."""

READ = 4
"""Answers whose solutions are read between two answers."""


class WindowRoom(Protocol):
    """The measurement whose windows are filled, as the filler sees it."""

    def make_variants(self, squares: Sequence[Square]) -> Mapping[Square, Variant]:
        """Makes the variants of usable squares."""
        ...

    def unavailable(self, variant: Variant) -> str:
        """The reason why a variant cannot be asked, or ""."""
        ...

    def tell_threads(self, run: str) -> str:
        """Stores how many threads the model has written with, if it has; returns it."""
        ...

    def check(self, task: Task, completion: Completion) -> Check:
        """Makes the check of a completion."""
        ...


@dataclass(slots=True)
class OpenWindow:
    """A window some of whose rows are not stored yet, by key."""

    index: int
    missing: set[str]


class WindowFiller:
    """The windows of one measurement, and which of them are filled.

    Attributes:
        windows: as they are cut from the plan.
        variants: of the window that was looked at last.
    """

    def __init__(
        self,
        suite: str,
        room: WindowRoom,
        answers: CompletionStore,
        judge: VerdictStore,
        ledger: Ledger,
        listen: Listener,
        sampling: Sampling,
        *,
        clock: Clock = time.monotonic,
    ) -> None:
        self.windows = Windows((), {})
        self.variants: Mapping[Square, Variant] = {}
        self._suite = suite
        self._room = room
        self._answers = answers
        self._judge = judge
        self._ledger = ledger
        self._listen = listen
        self._sampling = sampling
        self._clock = clock
        self._filled: set[int] = set()
        self._trouble: ModelError | None = None

    def cut(self, windows: Windows) -> None:
        """Takes new windows, none of which is filled."""
        self.windows = windows
        self._filled.clear()

    def fill(self, index: int | None, may_begin: Callable[[], bool] = lambda: True) -> bool:
        """Generates and judges a window unless the ledger has it; False if it may not begin.

        Raises:
            ModelError, SandboxError, OracleError: the harness failed.
        """
        if index is None or index in self._filled:
            return True
        self.variants = self._room.make_variants(self.windows.squares[index])
        variants = self._available(self.variants)
        if self._incomplete(variants):
            with self._ledger.lease():
                # Another process may have filled it while this one waited for the lease.
                if self._incomplete(variants):
                    if not may_begin():
                        return False
                    self._generate(index, variants)
        self._filled.add(index)
        return True

    def checks(self, variants: Iterable[Variant], sampling: Sampling) -> list[Check]:
        """The checks of the stored completions; a variant that lacks a sample has none yet."""
        return [
            self._room.check(variant.task, completion)
            for variant, stored in self._answers.iterate_stored(variants, sampling)
            for _, completion in stored or ()
            if not completion.refused
        ]

    def _available(self, variants: Mapping[Square, Variant]) -> list[Variant]:
        return [each for each in variants.values() if not self._room.unavailable(each)]

    def _incomplete(self, variants: Sequence[Variant]) -> bool:
        """Whether the ledger lacks a completion or a verdict of these variants."""
        missing = self._answers.missing(variants, self._sampling)
        return bool(missing) or bool(self._judge.unknown(self.checks(variants, self._sampling)))

    def _generate(self, index: int, variants: Sequence[Variant]) -> None:
        self._tell_start(index, self._answers.missing(variants, self._sampling))
        try:
            if is_streaming(self._answers.backend):
                self._stream(index, variants)
            else:
                # The sandbox judges one batch while the model writes the next.
                for batch in self._answers.generate(variants, self._sampling):
                    self._judge.begin(self.checks(batch, self._sampling))
            self._judge.finish()
        finally:
            self._room.tell_threads(self._answers.run)
            self._listen(WindowDone())

    def _tell_start(self, index: int, rows: int) -> None:
        count = 0 if self.windows.growing else len(self.windows.squares)
        self._listen(WindowStarted(self._suite, index + 1, count, rows))

    def _stream(self, index: int, variants: Sequence[Variant]) -> None:
        """Streams a window, and the next ones behind it for as long as it may look ahead.

        Trouble that comes when the window is filled already is for the one that needs more.
        """
        if self._trouble is not None:
            raise self._trouble
        open_windows: list[OpenWindow] = []
        rows = self._look_ahead(index, variants, open_windows)
        unread: deque[Answer] = deque()
        try:
            for answers in self._answers.stream(rows, self._sampling, [JudgeBrake(self._judge)]):
                unread.extend(answers)
                if answers:
                    self._close_windows({each.key for each in answers}, open_windows)
                # Reading solutions takes time in which nothing is sent: a few after each answer.
                self._judge_answers([unread.popleft() for _ in range(min(READ, len(unread)))])
            if not self.windows.growing:
                self._answers.guard.end_window()
        except ModelError as error:
            self._close_windows(set(), open_windows)
            if self._answers.missing(variants, self._sampling):
                raise
            self._trouble = error
        finally:
            self._judge_answers(unread)

    def _look_ahead(
        self, index: int, variants: Sequence[Variant], open_windows: list[OpenWindow]
    ) -> Iterator[KeyedRow]:
        """The missing rows of a window, then of the windows behind it."""
        began = self._clock()
        asked: set[str] = set()
        later = range(index + 1, 0 if self.windows.growing else len(self.windows.squares))
        for place in (index, *later):
            if place > index:
                if place in self._filled or self._clock() - began >= SECONDS_AHEAD:
                    continue
                made = self._room.make_variants(self.windows.squares[place])
                variants = self._available(made)
            rows = self._answers.missing_rows(variants, self._sampling)
            # Completions that a killed run left unjudged.
            self._judge.begin(self.checks(variants, self._sampling))
            missing = {key for key, _ in rows}
            open_windows.append(OpenWindow(place, set(missing)))
            # Equal prompts of two windows are asked once; both windows wait for the answer.
            rows = [(key, row) for key, row in rows if key not in asked]
            asked |= missing
            yield from rows

    def _judge_answers(self, answers: Iterable[Answer]) -> None:
        checks = [
            self._room.check(each.row.variant.task, each.completion)
            for each in answers
            if not each.completion.refused
        ]
        if checks:
            self._judge.begin(checks)

    def _close_windows(self, stored: set[str], open_windows: list[OpenWindow]) -> None:
        """Marks the windows all of whose rows are stored, and tells of the one that is next."""
        for window in open_windows:
            window.missing -= stored
        if all(each.missing for each in open_windows):
            return
        first = open_windows[0]
        self._filled.update(each.index for each in open_windows if not each.missing)
        open_windows[:] = [each for each in open_windows if each.missing]
        if open_windows and open_windows[0] is not first:
            self._listen(WindowDone())
            self._tell_start(open_windows[0].index, len(open_windows[0].missing))
