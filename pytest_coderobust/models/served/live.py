"""Open connections of a transport, and the cut that ends all that belongs to a stream.

A stream takes a ticket and its threads enter with it. A cut makes the ticket void: what is on its
way ends, and a thread that was about to connect fails instead, however the two interleave.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any, Protocol
from weakref import WeakSet


class GivenUp(Exception):
    """Nobody waits for the answer any more."""


class OpenConnection(Protocol):
    """A connection with its socket; None where it is closed."""

    sock: Any


class LiveConnections:
    """The connections that are open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: WeakSet[OpenConnection] = WeakSet()
        self._cuts = 0
        self._own = threading.local()

    def ticket(self) -> int:
        """A ticket that is good until the next cut."""
        return self._cuts

    def enter(self, ticket: int) -> None:
        """Lets this thread work under a ticket; a thread without one is never given up."""
        self._own.ticket = ticket

    def check(self) -> None:
        """Looks at this thread's ticket.

        Raises:
            GivenUp: it is void.
        """
        if getattr(self._own, "ticket", self._cuts) != self._cuts:
            raise GivenUp

    def add(self, connection: OpenConnection) -> None:
        """Notes a connection that was opened.

        Raises:
            GivenUp: there was a cut meanwhile.
        """
        with self._lock:
            self._open.add(connection)
        self.check()  # a cut that came before the line above did not see the connection

    def cut(self) -> None:
        """Makes all tickets void, and cuts what is on its way: the server can stop writing."""
        self._cuts += 1
        with self._lock:
            found = list(self._open)
        for connection in found:
            if (open_socket := connection.sock) is not None:
                with contextlib.suppress(OSError):
                    open_socket.shutdown(socket.SHUT_RDWR)
