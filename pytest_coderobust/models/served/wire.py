"""Replies of a server, and the protocols of what sends requests to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

READ_SECONDS = 600.0
"""Time that an answer may take, before a server's own times are known."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of a server, whatever its status.

    Attributes:
        headers: by lower-case name.
        body: the JSON value; None where the text is not JSON.
        seconds: from sending to the last byte.
    """

    status: int
    headers: Mapping[str, str]
    text: str
    body: Any
    seconds: float

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Transport(Protocol):
    """Sends one request at a time for each thread that calls it."""

    def get(self, path: str) -> Reply:
        """Asks for a path below the server's base ("/models"), or, with "//", below its root.

        Raises:
            TransportError: no answer came back.
        """
        ...

    def post(self, path: str, body: Mapping[str, object], *, fresh: bool = False) -> Reply:
        """Sends a JSON object.

        Args:
            fresh: on a connection of its own, which is closed afterwards.

        Raises:
            TransportError: no answer came back.
        """
        ...


class TimedTransport(Transport, Protocol):
    """A transport whose answers have a limit of time, and that can be cut off."""

    read_seconds: float

    def redact(self, text: str) -> str:
        """Takes the secrets out of a text."""
        ...

    def ticket(self) -> int:
        """A ticket for the threads of a stream; it is void after `abandon`."""
        ...

    def enter(self, ticket: int) -> None:
        """Lets this thread send under a ticket."""
        ...

    def abandon(self) -> None:
        """Cuts what is on its way."""
        ...

    def close(self) -> None:
        """Closes the connections; a later request opens others."""
        ...
