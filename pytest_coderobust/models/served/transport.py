"""HTTP to one server: JSON goes out over kept connections, and replies come back."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import urllib3

from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.served.address import parse_address
from pytest_coderobust.models.served.connections import (
    CONNECT_SECONDS,
    ServerPool,
    check_resolved,
    open_pool,
)
from pytest_coderobust.models.served.failures import (
    TransportError,
    explain_failure,
    read_body,
)
from pytest_coderobust.models.served.live import LiveConnections
from pytest_coderobust.models.served.secrets import Credentials
from pytest_coderobust.models.served.wire import READ_SECONDS, Reply, TimedTransport, Transport

__all__ = [
    "READ_SECONDS",
    "PooledTransport",
    "Reply",
    "TimedTransport",
    "Transport",
    "TransportError",
]

_NEVER = urllib3.Retry.from_int(False, redirect=False)
LOG = logging.getLogger("urllib3.connectionpool")


class PooledTransport:
    """A server at `base` ("http://127.0.0.1:8000/v1"), by a pool of up to `connections`.

    Redirects are not followed. No exception that leaves it has a secret in its text or in a frame
    of its traceback.

    Attributes:
        read_seconds: the time that an answer may take.
    """

    def __init__(
        self,
        base: str,
        credentials: Mapping[str, str] | Credentials | None = None,
        connections: int = 1024,
        *,
        ca_bundle: Path | None = None,
        where: str = "",
    ) -> None:
        self.address = parse_address(base, where)
        self.read_seconds = READ_SECONDS
        if not isinstance(credentials, Credentials):
            credentials = Credentials(dict(credentials or {}))
        self._credentials = credentials
        self._root = self.address.path.removesuffix("/v1")
        self._connections = connections
        self._ca_bundle = ca_bundle
        self._where = where
        self._lock = threading.Lock()
        self._pool: ServerPool | None = None
        self._live = LiveConnections()

    def redact(self, text: str) -> str:
        """Takes the secrets out of a text."""
        return self._credentials.redact(text)

    def get(self, path: str) -> Reply:
        return self._ask("GET", path, None, self._open())

    def post(self, path: str, body: Mapping[str, object], *, fresh: bool = False) -> Reply:
        data = json.dumps(body).encode()
        if not fresh:
            return self._ask("POST", path, data, self._open())
        self._open()
        own = open_pool(self.address, 1, self._live, self._ca_bundle)
        try:
            return self._ask("POST", path, data, own, {"Connection": "close"})
        finally:
            own.connections.close()

    def ticket(self) -> int:
        """A ticket for the threads of a stream; it is void after `abandon`."""
        return self._live.ticket()

    def enter(self, ticket: int) -> None:
        """Lets this thread send under a ticket."""
        self._live.enter(ticket)

    def abandon(self) -> None:
        """Cuts the requests that are on their way; they end with a TransportError."""
        self._live.cut()

    def close(self) -> None:
        with self._lock:
            if self._pool is not None:
                self._pool.connections.close()
            self._pool = None
            LOG.removeFilter(self._clean)

    def _open(self) -> ServerPool:
        """Opens the pool when it is first used.

        Raises:
            UsageError: the server's name leads to a forbidden address.
        """
        if self._pool is None:
            with self._lock:
                if self._pool is None:
                    check_resolved(self.address, self._where)
                    LOG.addFilter(self._clean)
                    self._pool = open_pool(
                        self.address, self._connections, self._live, self._ca_bundle
                    )
        return self._pool

    def _clean(self, record: logging.LogRecord) -> bool:
        """Takes the secrets out of a line of urllib3's log, which has requests' parameters."""
        told = record.getMessage()
        if (cleaned := self.redact(told)) != told:
            record.msg, record.args = cleaned, ()
        return True

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None,
        pool: ServerPool,
        extra: Mapping[str, str] | None = None,
    ) -> Reply:
        """Sends a request.

        What goes wrong is raised outside of the handlers, so that the exception has no context:
        frames below this one hold the headers.
        """
        below = self._root + path[1:] if path.startswith("//") else self.address.path + path
        trouble: BaseException
        try:
            return self._exchange(method, pool, pool.target + below, body, extra or {})
        except UsageError as error:
            trouble = UsageError(str(error))
        except (KeyboardInterrupt, SystemExit) as error:
            trouble = type(error)(*error.args)
        except TransportError as error:
            trouble = error.with_traceback(None)
            trouble.__context__ = None
        except Exception as error:  # noqa: BLE001 - whatever it is, frames below hold the key
            trouble = explain_failure(error, self.redact)
        raise trouble

    def _exchange(
        self,
        method: str,
        pool: ServerPool,
        target: str,
        body: bytes | None,
        extra: Mapping[str, str],
    ) -> Reply:
        self._live.check()
        began = time.monotonic()
        got = pool.connections.urlopen(
            method,
            target + self._credentials.make_query(),
            body=body,
            headers={
                "Content-Type": "application/json",
                **self._credentials.make_headers(),
                **extra,
            },
            retries=_NEVER,
            redirect=False,
            assert_same_host=False,  # through a proxy the pool's own host is another one
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=self.read_seconds),
            preload_content=False,
        )
        try:
            data = read_body(got, began + self.read_seconds)
        except BaseException as error:
            got.close()
            if isinstance(error, urllib3.exceptions.ProtocolError):
                raise TransportError("the connection ended in the middle of an answer") from None
            raise
        got.release_conn()
        return self._make_reply(got, data, time.monotonic() - began)

    def _make_reply(self, got: Any, data: bytes, seconds: float) -> Reply:
        clean = self._credentials.redact_answer if got.status < 300 else self.redact
        text = clean(data.decode("utf-8", "replace"))
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            parsed = None
        headers = {name.lower(): self.redact(value) for name, value in got.headers.items()}
        return Reply(got.status, headers, text, parsed, seconds)
