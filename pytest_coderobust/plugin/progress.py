"""Progress of the long part, generation: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from pytest_coderobust.engine.events import (
    BatchAdvanced,
    BatchStarted,
    ChecksJudged,
    Event,
    HuntAdvanced,
    HuntDone,
    HuntStarted,
    RowsGenerated,
    SelfCheckDone,
    SelfCheckStarted,
    WindowDone,
    WindowStarted,
)
from pytest_coderobust.plugin.pace import GenerationPace

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, TaskID

SECONDS_BEFORE_A_LINE = 15.0
"""Time that a part may take without a line of its own: short ones fill no log."""

SECONDS_BETWEEN_LINES = 60.0


class TerminalProgress:
    """Listens to the engine while pytest captures everything else.

    Args:
        clock: tells seconds.
    """

    def __init__(self, config: pytest.Config, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._reporter: Any = config.pluginmanager.getplugin("terminalreporter")
        self._stack = ExitStack()
        self._progress: Progress | None = None
        self._bar: TaskID | None = None
        self._title = self._tail = ""
        self._done = self._total = 0
        self._pace: GenerationPace | None = None
        self._began = 0.0
        self._spoke: float | None = None

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        match event:
            case SelfCheckStarted(checks):
                self._start(f"checking the oracle: {checks} checks", checks)
            case WindowStarted(suite, index, count, rows):
                of = f" of {count}" if count else ""
                self._start(f"{suite}: window {index}{of}", rows, GenerationPace(rows))
            case BatchStarted() | BatchAdvanced() | RowsGenerated():
                self._follow(event)
            case ChecksJudged(checks):
                if self._title.startswith("checking"):
                    self._show(self._done + checks)
            case HuntStarted(suite, tasks):
                self._start(f"hunt on {suite}", tasks, GenerationPace(None))
            case HuntAdvanced(done, found, completions):
                self._tail = f", {found} broken, {completions} completions"
                self._show(done)
            case SelfCheckDone() | WindowDone() | HuntDone():
                self._stop()

    def _follow(self, event: BatchStarted | BatchAdvanced | RowsGenerated) -> None:
        """Follows a batch; a hunt counts tasks, a window the rows that have ended."""
        pace, now = self._pace, self._clock()
        if pace is None:
            return
        match event:
            case BatchStarted():
                pace.start_batch(event, now)
            case BatchAdvanced():
                pace.advance(event, now)
            case RowsGenerated():
                pace.end_batch(event, now)
        self._show(self._done if pace.rows is None else pace.done)

    def _start(self, title: str, total: int, pace: GenerationPace | None = None) -> None:
        self._stop()
        self._title, self._total, self._done, self._pace = title, total, 0, pace
        self._began = self._clock()
        if total == 0 or self._reporter is None or self._config.get_verbosity() < 0:
            return
        capture: Any = self._config.pluginmanager.getplugin("capturemanager")
        if capture is not None:
            self._stack.enter_context(capture.global_and_fixture_disabled())
        if self._reporter.isatty:
            self._open_bar()

    def _open_bar(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        end: ProgressColumn = TimeRemainingColumn()
        if self._pace is not None:
            end = TextColumn("{task.fields[pace]}", markup=False)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(20),
            MofNCompleteColumn(),
            end,
        )
        self._progress = self._stack.enter_context(
            Progress(*columns, console=Console(stderr=True), transient=True)
        )
        self._bar = self._progress.add_task(self._title, total=self._total, pace="")

    def _show(self, done: int) -> None:
        """Shows how much is done: on the bar, or in a line when it is time for one."""
        self._done = done
        if self._progress is not None and self._bar is not None:
            pace = self._pace.describe() if self._pace is not None else ""
            description = f"{self._title}{self._tail}"
            self._progress.update(self._bar, completed=done, description=description, pace=pace)
        elif self._total and self._is_due():
            self._spoke = self._clock()
            pace = self._pace.describe() if self._pace is not None else ""
            unit = " rows" if self._pace is not None and self._pace.rows is not None else ""
            line = f"{self._title}: {done} of {self._total}{unit}{self._tail}"
            self._say(f"{line}, {pace}" if pace else line)

    def _is_due(self) -> bool:
        now = self._clock()
        waited = self._spoke is None or now - self._spoke >= SECONDS_BETWEEN_LINES
        return waited and now - self._began >= SECONDS_BEFORE_A_LINE

    def _say(self, line: str) -> None:
        if self._reporter is not None and self._config.get_verbosity() >= 0:
            self._reporter.ensure_newline()
            self._reporter.write_line(f"coderobust: {line}")

    def _stop(self) -> None:
        self._stack.close()
        self._stack = ExitStack()
        self._progress = self._bar = self._pace = None
        self._title = self._tail = ""
        self._total = 0
