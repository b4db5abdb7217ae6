"""Rows on their way to a server, and the end of each: an answer, or a refusal for good."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.backend import Streamed
from pytest_coderobust.models.served.answers import ServedAnswer
from pytest_coderobust.models.served.patience import Patience
from pytest_coderobust.models.served.replies import RowFails, make_alike
from pytest_coderobust.models.served.transport import Reply
from pytest_coderobust.records import Completion, Row, Usage

ALIKE = 3
"""First rows of a session whose equal failure ends it."""


@dataclass(slots=True)
class SentRow:
    """A row on its way.

    Attributes:
        tokens: the number that the server must count in its prompt; None where that is unknown.
        text: the prompt, template included.
        tries: requests that failed so far.
        resent: of the requests, those that went twice at once.
        failures: of the tries, those that ended in a 500.
        successes: those of the whole session at the row's first 500.
    """

    row: Row
    body: Mapping[str, object]
    tokens: int | None
    text: str
    tries: int = 0
    resent: int = 0
    failures: int = 0
    successes: int = 0
    last_lane: int = -1

    @property
    def prompt_bytes(self) -> int:
        """The prompt's length."""
        return len(self.text.encode("utf-8"))

    def finish(self, completion: Completion, usage: Usage, told: str = "") -> Streamed:
        """Makes the row's end, with all the requests that it took."""
        return Streamed(self.row, completion, usage + Usage(retries=self.tries + self.resent), told)


@dataclass(slots=True)
class Luck:
    """Successes of a session, and the rows that failed before the first.

    A mistake in an entry makes all rows fail. So the first ones wait for a success, and end the
    session where three fail alike; nobody stores them then.

    Attributes:
        held: rows that wait.
        reasons: why rows failed before the first success, in a form without numbers.
    """

    successes: int = 0
    reasons: list[str] = field(default_factory=list[str])
    held: list[Streamed] = field(default_factory=list[Streamed])

    def fail(self, sent: SentRow, course: RowFails, label: str) -> Iterator[Streamed]:
        """Ends a row without an answer; yields what needs not wait.

        Raises:
            ModelError: the first rows of the session were refused alike.
        """
        refused = sent.finish(Completion("", "refused"), Usage(requests=1), course.told)
        if course.overflow or self.successes:
            yield refused
            return
        self.held.append(refused)
        self.reasons.append(make_alike(course.told))
        if len(self.reasons) < ALIKE:
            return
        if len(set(self.reasons)) == 1:
            raise ModelError(f"{label}: the first {ALIKE} rows were refused alike: {course.told}")
        yield from self.let_go()

    def drop(self) -> None:
        """Forgets the rows that were held back: their stream ends, and nobody stores them."""
        self.reasons.clear()
        self.held.clear()

    def let_go(self) -> Iterator[Streamed]:
        """Yields the rows that were held back."""
        held = list(self.held)
        self.held.clear()
        yield from held


@dataclass(frozen=True, slots=True)
class Dealings:
    """The ways of a backend with its rows, as a stream needs them.

    Attributes:
        prepare: makes the request of a row.
        read: takes a reply apart (raises NotAnAnswer), and refuses another model's (ModelError).
        label: begins messages ("model 'prod'").
    """

    prepare: Callable[[Row], SentRow]
    read: Callable[[Reply, SentRow], ServedAnswer]
    path: str
    label: str
    patience: Patience
    luck: Luck
