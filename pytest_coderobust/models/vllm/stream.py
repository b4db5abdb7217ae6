"""One stream of rows through vLLM: rows go in while there is room, answers come as they finish."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Protocol

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.backend import Streamed
from pytest_coderobust.models.vllm.engine import VllmAsking, VllmReply, VllmText
from pytest_coderobust.records import Completion, Finish, Row, Usage

BREATH = 0.5
"""Seconds without an answer after which the caller gets a turn."""

_NUMBERS = count()
"""Numbers of requests: an engine never sees one twice, also after a stream that was given up."""


class RowEngine(Protocol):
    """An engine that takes rows at any time and writes a token of each in every step."""

    def add(self, request: str, ids: Sequence[int], asking: VllmAsking) -> None:
        """Takes a row."""
        ...

    def step(self) -> Sequence[VllmReply]:
        """Writes one token of each row; returns the rows that are done."""
        ...

    def abort(self, requests: Sequence[str]) -> None:
        """Forgets rows in work."""
        ...


@dataclass(frozen=True, slots=True)
class VllmRow:
    """A row in work.

    Attributes:
        read: makes the completion of its new token ids.
    """

    row: Row
    ids: tuple[int, ...]
    asking: VllmAsking
    read: Callable[[Sequence[int]], Completion]
    since: float = 0.0


class VllmStream:
    """Rows of one stream.

    Args:
        rows: gives rows, or None for "not now".
        most: rows that may be in work at the same time.
        label: begins messages.
    """

    def __init__(
        self,
        rows: Iterator[Row | None],
        engine: RowEngine,
        prepare: Callable[[Row], VllmRow],
        most: int,
        label: str,
    ) -> None:
        self._rows = rows
        self._engine = engine
        self._prepare = prepare
        self._most = most
        self._label = label
        self._in_work: dict[str, VllmRow] = {}
        self._exhausted = False

    def run(self) -> Iterator[Streamed | None]:
        """Yields each row's answer, and None now and then while no answer comes.

        Raises:
            ModelError: vLLM broke off, or ended a row for a reason of its own.
        """
        told = time.monotonic()
        try:
            while self._fill():
                # All of a step are taken off the way before one is given: the caller may stop.
                finished, trouble = self._finish_all(self._engine.step())
                for answer in finished:
                    yield answer
                    told = time.monotonic()
                if trouble is not None:
                    raise trouble
                if time.monotonic() - told >= BREATH:
                    yield None
                    told = time.monotonic()
        finally:
            if self._in_work:
                self._engine.abort(list(self._in_work))

    def _fill(self) -> bool:
        """Takes rows while there is room; False when nothing is left to wait for."""
        while not self._exhausted and len(self._in_work) < self._most:
            row = next(self._rows, self)
            if row is self:
                self._exhausted = True
            if not isinstance(row, Row):
                break
            made = replace(self._prepare(row), since=time.monotonic())
            request = f"coderobust-{next(_NUMBERS)}"
            self._engine.add(request, made.ids, made.asking)
            self._in_work[request] = made
        return bool(self._in_work)

    def _finish_all(self, replies: Iterable[VllmReply]) -> tuple[list[Streamed], ModelError | None]:
        """Takes what ended in one step; one row's trouble loses no other row's answer."""
        finished: list[Streamed] = []
        trouble: ModelError | None = None
        for reply in replies:
            try:
                finished.append(self._finish(reply))
            except ModelError as error:
                trouble = trouble or error
        return finished, trouble

    def _finish(self, reply: VllmReply) -> Streamed:
        row = self._in_work.pop(reply.request_id)
        written = reply.outputs[0]
        completion = row.read(written.token_ids)
        usage = Usage(
            requests=1,
            input=len(row.ids),
            cached=reply.num_cached_tokens or 0,
            output=len(written.token_ids),
            seconds=time.monotonic() - row.since,
        )
        return Streamed(row.row, self._end(completion, written), usage)

    def _end(self, completion: Completion, written: VllmText) -> Completion:
        """Gives a completion the end that vLLM says, unless a stop string cut it here."""
        reason, by = written.finish_reason, written.stop_reason
        if reason not in ("stop", "length"):
            raise ModelError(f"{self._label}: vLLM ended a row with {reason!r}")
        if completion.finish == "stop":
            return completion
        stopped: Finish = "stop" if isinstance(by, str) else "eos"
        return replace(completion, finish="length" if reason == "length" else stopped)
