"""The progress of a training on the error stream: a bar, or a line every tenth of the steps."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_coderobust.training.trainer import TrainingListener


@contextmanager
def show_training() -> Generator[TrainingListener]:
    """Context with one bar on a terminal's error stream, or a line every tenth of the steps."""
    import sys

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    from pytest_coderobust.training.trainer import TrainingMoment

    console = Console(stderr=True)
    figures = TextColumn("{task.description}")
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), figures, Remaining())
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task("", total=None)

        def listen(moment: TrainingMoment) -> None:
            loss = "" if moment.loss is None else f"loss {moment.loss:.4f}, "
            figures = f"{loss}{moment.tokens:,.0f} tokens/s"
            bar.update(task, total=moment.steps, completed=moment.step, description=figures)
            tenth = max(1, moment.steps // 10)
            if hidden and (moment.step % tenth == 0 or moment.step == moment.steps):
                print(f"step {moment.step} of {moment.steps}: {figures}", file=sys.stderr)  # noqa: T201

        yield listen
