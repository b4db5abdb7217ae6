"""A scripted HTTP server on a port of its own: each request is answered by a function."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived; `place` counts requests from 0, in order of arrival."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    place: int


@dataclass(frozen=True, slots=True)
class Told:
    """One answer: a status, a JSON value (or raw bytes), headers, and a delay before it.

    `reset` closes the connection in place of an answer.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    reset: bool = False


Script = Callable[[Asked], Told]


@dataclass(slots=True)
class ScriptedServer:
    """A running server: `url` ends in /v1, `asked` has every request so far."""

    url: str
    asked: list[Asked]
    script: Script

    def bodies(self, path: str) -> list[Any]:
        """The bodies of the requests for a path that ends so."""
        return [each.body for each in self.asked if each.path.endswith(path)]


@contextmanager
def serve(script: Script) -> Iterator[ScriptedServer]:
    """Serves a script on 127.0.0.1 until the block ends; the script may be swapped meanwhile."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two packets: 40 ms a request else

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(size)
            headers = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                body = json.loads(raw) if raw else None
                asked = Asked(self.command, self.path, headers, body, len(running.asked))
                running.asked.append(asked)
            told = running.script(asked)
            if told.delay:
                time.sleep(told.delay)
            if told.reset:
                self.close_connection = True
                self.connection.close()
                return
            data = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 512

        def handle_error(self, *_: object) -> None:
            """Says nothing: clients that go away are part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    running = ScriptedServer(f"http://127.0.0.1:{server.server_address[1]}/v1", [], script)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
