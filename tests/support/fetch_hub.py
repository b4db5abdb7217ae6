"""A hub of data sets on 127.0.0.1 that can be told to misbehave."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Hub:
    """What the hub serves, how it fails, and what it was asked.

    Attributes:
        files: content by repository and path.
        cuts: for the next answers of a file, after how many bytes the connection ends.
        forged: for the next answers of a file, other content of the same length.
        plain: paths that are no LFS files, announced by their git name alone.
        ranges: whether a part of a file may be asked for.
        redirects: whether files are served from elsewhere, as by the real hub.
        requests: (path, range) of each request.
    """

    files: dict[tuple[str, str], bytes] = field(default_factory=dict[tuple[str, str], bytes])
    cuts: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    forged: dict[str, list[bytes]] = field(default_factory=dict[str, list[bytes]])
    plain: set[str] = field(default_factory=set[str])
    ranges: bool = True
    redirects: bool = False
    listing: bytes | None = None
    requests: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    endpoint: str = ""

    def tree(self, repository: str) -> bytes | None:
        found = [(p, data) for (name, p), data in sorted(self.files.items()) if name == repository]
        if not found:
            return None
        return self.listing or json.dumps([self.entry(path, data) for path, data in found]).encode()

    def entry(self, path: str, data: bytes) -> dict[str, object]:
        name = hashlib.sha1(b"blob %d\0%b" % (len(data), data)).hexdigest()
        entry: dict[str, object] = {"type": "file", "path": path, "size": len(data), "oid": name}
        if path not in self.plain:
            sha = hashlib.sha256(data).hexdigest()
            entry |= {"oid": "0" * 40, "lfs": {"oid": sha, "size": len(data), "pointerSize": 1}}
        return entry

    def downloads(self) -> list[tuple[str, str]]:
        """The requests for files: (path in the repository, range)."""
        parts = [(path.partition("/resolve/main/")[2], range_) for path, range_ in self.requests]
        return [part for part in parts if part[0]]


class Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        self.hub.requests.append((self.path, self.headers.get("Range", "")))
        path = self.path.removeprefix("/elsewhere")
        if path.startswith("/api/datasets/"):
            self.answer(self.hub.tree(path.removeprefix("/api/datasets/").partition("/tree/")[0]))
            return
        repository, _, name = path.removeprefix("/datasets/").partition("/resolve/main/")
        data = self.hub.files.get((repository, name))
        if data is not None and self.hub.redirects and path == self.path:
            self.send_response(302)
            self.send_header("Location", f"/elsewhere{path}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.hub.forged.get(name):
            data = self.hub.forged[name].pop(0)
        self.answer(data, self.hub.cuts.get(name))

    def answer(self, data: bytes | None, cuts: list[int] | None = None) -> None:
        if data is None:
            self.send_error(404)
            return
        start = self.headers.get("Range", "").removeprefix("bytes=").rstrip("-")
        partial = bool(start) and self.hub.ranges
        data = data[int(start) :] if partial else data
        self.send_response(206 if partial else 200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: cuts.pop(0)] if cuts else data)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The hub, at the address it gets."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": hub}))
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def humaneval_rows() -> list[dict[str, object]]:
    return [
        {
            "task_id": f"HumanEval/{i}",
            "prompt": f'def f{i}(a):\n    """Add {i}: ü."""\n',
            "entry_point": f"f{i}",
            "canonical_solution": f"    return a + {i}\n",
            "test": f"def check(candidate):\n    assert candidate(1) == {1 + i}\n",
        }
        for i in range(164)
    ]


def mbpp_rows() -> list[dict[str, object]]:
    return [
        {
            "source_file": "x.ipynb",
            "task_id": i,
            "prompt": f"Write a function to add {i}.",
            "code": f"def f{i}(a):\n  return a + {i}",
            "test_imports": [],
            "test_list": [f"assert f{i}(1) == {1 + i}"],
        }
        for i in range(1, 428)
    ]


def jsonl(rows: list[dict[str, object]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()
