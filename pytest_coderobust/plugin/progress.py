"""Progress of the long part, generation: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from pytest_coderobust.engine.events import (
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

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SECONDS_BETWEEN_LINES = 30.0


class TerminalProgress:
    """Listens to the engine while pytest captures everything else."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._reporter: Any = config.pluginmanager.getplugin("terminalreporter")
        self._stack = ExitStack()
        self._progress: Progress | None = None
        self._bar: TaskID | None = None
        self._title = self._tail = ""
        self._done = self._total = 0
        self._spoke = 0.0

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        match event:
            case SelfCheckStarted(checks):
                self._start(f"checking the oracle: {checks} checks", checks)
            case WindowStarted(suite, index, count, rows):
                of = f" of {count}" if count else ""
                self._start(f"{suite}: window {index}{of}", rows)
            case RowsGenerated(rows):
                if not self._title.startswith("hunt"):
                    self._advance(rows)
            case ChecksJudged(checks):
                if self._title.startswith("checking"):
                    self._advance(checks)
            case HuntStarted(suite, tasks):
                self._start(f"hunt on {suite}", tasks)
            case HuntAdvanced(done, found, completions):
                self._tail = f", {found} broken, {completions} completions"
                self._advance(done - self._done)
            case SelfCheckDone() | WindowDone() | HuntDone():
                self._stop()

    def _start(self, title: str, total: int) -> None:
        self._stop()
        self._title, self._total, self._done = title, total, 0
        self._spoke = time.monotonic()
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

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(20),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._progress = self._stack.enter_context(
            Progress(*columns, console=Console(stderr=True), transient=True)
        )
        self._bar = self._progress.add_task(self._title, total=self._total)

    def _advance(self, count: int) -> None:
        self._done += count
        if self._progress is not None and self._bar is not None:
            description = f"{self._title}{self._tail}"
            self._progress.update(self._bar, advance=count, description=description)
        elif self._total and time.monotonic() - self._spoke > SECONDS_BETWEEN_LINES:
            self._spoke = time.monotonic()
            self._say(f"{self._title}: {self._done} of {self._total}{self._tail}")

    def _say(self, line: str) -> None:
        if self._reporter is not None and self._config.get_verbosity() >= 0:
            self._reporter.ensure_newline()
            self._reporter.write_line(f"coderobust: {line}")

    def _stop(self) -> None:
        self._stack.close()
        self._stack = ExitStack()
        self._progress = self._bar = None
        self._title = self._tail = ""
        self._total = 0
