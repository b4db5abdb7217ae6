"""A hub of data sets on 127.0.0.1 that can be told to misbehave."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

COMMIT = "1" * 40


@dataclass
class Hub:
    """The content of a hub, the way it fails, and the requests it got.

    Attributes:
        files: content by repository and path.
        cuts: for the next answers of a file, after how many bytes the connection ends.
        forged: for the next answers of a file, other content than what was announced.
        plain: paths that are not LFS files, announced by their git name alone.
        ranges: whether a part of a file may be asked for.
        redirects: whether files are served from elsewhere, as by the real hub.
        status: what every request is refused with, or 0.
        commit: the header that tells a hub from another web server; "" sends none.
        requests: (method, path, range) of each request.
    """

    files: dict[tuple[str, str], bytes] = field(default_factory=dict[tuple[str, str], bytes])
    cuts: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    forged: dict[str, list[bytes]] = field(default_factory=dict[str, list[bytes]])
    plain: set[str] = field(default_factory=set[str])
    ranges: bool = True
    redirects: bool = False
    status: int = 0
    commit: str = COMMIT
    listing: bytes | None = None
    requests: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    endpoint: str = ""

    @property
    def elsewhere(self) -> str:
        """The address that large files are served from: another host name than the hub's."""
        return self.endpoint.replace("127.0.0.1", "localhost")

    def tree(self, repository: str) -> bytes | None:
        found = [(p, data) for (name, p), data in sorted(self.files.items()) if name == repository]
        if not found:
            return None
        return self.listing or json.dumps([self.entry(path, data) for path, data in found]).encode()

    def entry(self, path: str, data: bytes) -> dict[str, object]:
        entry: dict[str, object] = {"type": "file", "path": path, "size": len(data)}
        if path in self.plain:
            return entry | {"oid": self.etag(path, data)}
        lfs = {"oid": self.etag(path, data), "size": len(data), "pointerSize": 1}
        return entry | {"oid": "0" * 40, "lfs": lfs}

    def etag(self, path: str, data: bytes) -> str:
        """The checksum as the hub announces it: git's of a plain file, SHA-256 of a large one."""
        if path in self.plain:
            return hashlib.sha1(b"blob %d\0%b" % (len(data), data)).hexdigest()
        return hashlib.sha256(data).hexdigest()

    def downloads(self) -> list[tuple[str, str]]:
        """The bytes asked for: (path in the repository, range)."""
        asked = [
            (path.partition("/resolve/main/")[2], range_)
            for method, path, range_ in self.requests
            if method == "GET" and (path.startswith("/elsewhere") or not self.redirects)
        ]
        return [part for part in asked if part[0]]


class Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_HEAD(self) -> None:
        if not (found := self.open()):
            return
        _, name, data = found
        redirected = self.hub.redirects and not self.path.startswith("/elsewhere")
        self.send_response(302 if redirected else 200)
        if self.hub.commit:
            self.send_header("X-Repo-Commit", self.hub.commit)
        self.send_header("ETag", f'"{self.hub.etag(name, data)}"')
        if redirected:
            self.send_header("X-Linked-Etag", f'"{self.hub.etag(name, data)}"')
            self.send_header("X-Linked-Size", str(len(data)))
            self.send_header("Location", f"{self.hub.elsewhere}/elsewhere{self.path}")
        self.send_header("Content-Length", "0" if redirected else str(len(data)))
        self.end_headers()

    def do_GET(self) -> None:
        if self.path.startswith("/api/datasets/"):
            repository = self.path.removeprefix("/api/datasets/").partition("/tree/")[0]
            self.note()
            self.answer(self.hub.tree(repository))
        elif found := self.open():
            _, name, data = found
            if self.hub.forged.get(name):
                data = self.hub.forged[name].pop(0)
            self.answer(data, self.hub.cuts.get(name))

    def open(self) -> tuple[str, str, bytes] | None:
        """The repository, path and content of the file that is asked for, or a refusal."""
        self.note()
        path = self.path.removeprefix("/elsewhere")
        repository, _, name = path.removeprefix("/datasets/").partition("/resolve/main/")
        data = self.hub.files.get((repository, name))
        if data is None or self.hub.status:
            self.refuse()
            return None
        return repository, name, data

    def note(self) -> None:
        self.hub.requests.append((self.command, self.path, self.headers.get("Range", "")))

    def refuse(self) -> None:
        self.send_error(self.hub.status or 404)

    def answer(self, data: bytes | None, cuts: list[int] | None = None) -> None:
        if data is None or self.hub.status:
            self.refuse()
            return
        start = self.headers.get("Range", "").removeprefix("bytes=").rstrip("-")
        partial = bool(start) and self.hub.ranges
        total = len(data)
        data = data[int(start) :] if partial else data
        self.send_response(206 if partial else 200)
        if partial:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
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
