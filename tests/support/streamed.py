"""A served model without a server: rows are answered side by side, in an order that a seed draws."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.backend import KeyedBy, ServingTerms, Streamed
from pytest_coderobust.models.scripted import Scripted
from pytest_coderobust.records import Completion, Row, Sampling, Usage

Answering = Callable[[Row], "Completion | str"]


def solve(row: Row) -> str:
    """The canonical solution."""
    return row.variant.task.canonical or ""


class ScriptedStream(Scripted):
    """A streaming model in one thread, without a clock.

    Args:
        width: rows that are on their way at the same time.
        seed: draws which of them is answered next.
        ticks: gives None before each answer.
        dies_after: answers after which the server is gone.
        log: a file that gets a line for each row that is sent.

    Attributes:
        sent: the prompt and sample of each row, in the order of sending.
        streams: the sampling of each stream that was opened.
        most: the most rows that were on their way at the same time.
        gave_up: rows that were on their way when a stream was closed or died.
    """

    keyed_by: KeyedBy = "prompt"

    def __init__(
        self,
        answer: Answering = solve,
        *,
        name: str = "streamed",
        width: int = 4,
        seed: int = 0,
        ticks: bool = False,
        dies_after: int | None = None,
        log: Path | None = None,
        usage: Callable[[Row, Completion], Usage] = lambda _row, _text: Usage(1, 0, 10, 0, 5),
    ) -> None:
        super().__init__(lambda _row: "", name=name, batch_size=1)
        self.answering = answer
        self.width = width
        self.random = random.Random(seed)
        self.ticks = ticks
        self.dies_after = dies_after
        self.log = log
        self.usage = usage
        self.terms = ServingTerms()
        self.sent: list[tuple[str, int]] = []
        self.streams: list[Sampling] = []
        self.answered = 0
        self.most = 0
        self.gave_up = 0

    def stream(self, rows: Iterator[Row | None], sampling: Sampling) -> Iterator[Streamed | None]:
        on_way: list[Row] = []
        self.streams.append(sampling)
        try:
            while self._send(rows, on_way):
                if self.ticks:
                    yield None
                if self.answered == self.dies_after:
                    raise ModelError("the server is gone")
                row = on_way.pop(self.random.randrange(len(on_way)))
                said = self.answering(row)
                found = said if isinstance(said, Completion) else Completion(said, "eos", 5)
                self.answered += 1
                yield Streamed(row, found, self.usage(row, found))
        finally:
            self.gave_up += len(on_way)

    def _send(self, rows: Iterator[Row | None], on_way: list[Row]) -> bool:
        while len(on_way) < self.width:
            row = next(rows, self)
            if row is None:
                assert on_way, "None may not come while nothing is on its way"
                break
            if not isinstance(row, Row):
                break
            on_way.append(row)
            self.most = max(self.most, len(on_way))
            self.sent.append((row.variant.prompt, row.sample))
            if self.log is not None:
                with self.log.open("a") as log:
                    log.write(f"{row.variant.prompt!r} {row.sample}\n")
        return bool(on_way)
