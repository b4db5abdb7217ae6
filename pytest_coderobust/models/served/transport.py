"""HTTP to one server: a pool of kept connections; JSON goes out, replies come back."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import urllib3

CONNECT_SECONDS = 10.0
READ_SECONDS = 600.0


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


class TransportError(Exception):
    """No answer came back: no connection, a reset, or the time ran out.

    Args:
        timed_out: the server took the request and was too slow.
    """

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class PooledTransport:
    """A server at `base` ("http://127.0.0.1:8000/v1"), by a pool of up to `connections`."""

    def __init__(self, base: str, headers: Mapping[str, str], connections: int = 1024) -> None:
        self._base = base.rstrip("/")
        self._root = self._base.rsplit("/v1", 1)[0]
        self._headers = {"Content-Type": "application/json", **headers}
        self._pool = urllib3.PoolManager(
            num_pools=2,
            maxsize=connections,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        )

    def get(self, path: str) -> Reply:
        return self._send("GET", path, None, {})

    def post(self, path: str, body: Mapping[str, object], *, fresh: bool = False) -> Reply:
        extra = {"Connection": "close"} if fresh else {}
        return self._send("POST", path, json.dumps(body).encode(), extra)

    def close(self) -> None:
        self._pool.clear()

    def _send(self, method: str, path: str, body: bytes | None, extra: Mapping[str, str]) -> Reply:
        url = self._root + path[1:] if path.startswith("//") else self._base + path
        began = time.monotonic()
        try:
            got = self._pool.request(
                method, url, body=body, headers={**self._headers, **extra}, redirect=False
            )
        except urllib3.exceptions.TimeoutError as error:
            raise TransportError(str(error), timed_out=True) from None
        except urllib3.exceptions.HTTPError as error:
            raise TransportError(str(error)) from None
        seconds = time.monotonic() - began
        text = got.data.decode("utf-8", "replace")
        try:
            parsed = json.loads(text)
        except ValueError:
            parsed = None
        headers = {name.lower(): value for name, value in got.headers.items()}
        return Reply(got.status, headers, text, parsed, seconds)
