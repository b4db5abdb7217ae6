"""Models of the hub: a server the test starts stands in for it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from support.models_checkpoints import save_random

COMMIT = "0123456789abcdef0123456789abcdef01234567"

ANSWER = """
import json, sys
from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.registry import ModelOptions, open_backend
from pytest_coderobust.records import Cell, Row, Sampling, Task, Tests, Variant
name, generate, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
model = open_backend(name, options=ModelOptions(device="cpu", threads=1, **options))
task = Task("T/0", "x = ", "x", Tests("", "asserts"))
found = {}
try:
    found["facts"] = dict(model.identity.facts)
    if generate == "yes":
        (answer,) = model.generate([Row(Variant(task, Cell(), task.prompt), 0, 0)], Sampling())
        found["tokens"] = answer.tokens
except ModelError as error:
    found["error"] = str(error)
print(json.dumps(found))
"""


class Hub(ThreadingHTTPServer):
    """As much of the hub as a download asks for: one model, one commit.

    Attributes:
        sent: the files that were downloaded.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files = files
        self.sent: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        if parts[:2] == ["api", "models"] and parts[2:4] == ["org", "mine"]:
            self.describe(parts[4:])
        elif parts[:3] == ["org", "mine", "resolve"] and parts[4] in self.server.files:
            self.file(parts[4], body=body)
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def describe(self, rest: list[str]) -> None:
        files = self.server.files
        if rest[:1] == ["tree"]:
            tree: Any = [
                {"type": "file", "path": name, "size": len(data), "oid": sha(data)}
                for name, data in files.items()
            ]
        else:
            siblings = [{"rfilename": name} for name in files]
            tree = {"id": "org/mine", "sha": COMMIT, "siblings": siblings}
        self.reply(json.dumps(tree).encode(), {"Content-Type": "application/json"}, body=True)

    def file(self, name: str, *, body: bool) -> None:
        data = self.server.files[name]
        if body:
            self.server.sent.append(name)
        self.reply(data, {"ETag": f'"{sha(data)}"', "X-Repo-Commit": COMMIT}, body=body)

    def reply(self, data: bytes, headers: dict[str, str], *, body: bool) -> None:
        self.send_response(200)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(data)


def sha(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = save_random(tmp_path_factory.mktemp("hub"))
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    return {
        **found,
        "README.md": b"#",
        "pytorch_model.bin": b"large",
        "consolidated.safetensors": b"x",
    }


@pytest.fixture
def hub(files: dict[str, bytes]) -> Iterator[Hub]:
    server = Hub(dict(files))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def ask(
    home: Path, url: str, name: str = "org/mine", *, generate: bool = False, **options: Any
) -> dict[str, Any]:
    """A model of the hub, or the error, from a process of its own."""
    environment = {
        "HF_HOME": str(home),
        "HF_ENDPOINT": url,
        "HF_HUB_DISABLE_XET": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PATH": os.environ["PATH"],
    }
    arguments = ["yes" if generate else "no", json.dumps(options)]
    command = [sys.executable, "-W", "error", "-c", ANSWER, name, *arguments]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stderr == "", "loading is silent"
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_a_model_of_the_hub_is_downloaded_once(hub: Hub, tmp_path: Path) -> None:
    first = ask(tmp_path, hub.url, revision="main", generate=True)
    assert first["tokens"] > 0
    assert first["facts"]["revision"] == "main"
    assert "model.safetensors" in hub.sent
    assert not {"README.md", "pytorch_model.bin", "consolidated.safetensors"} & set(hub.sent)
    count = len(hub.sent)
    assert ask(tmp_path, hub.url, revision="main")["facts"] == first["facts"]
    assert len(hub.sent) == count
    offline = ask(tmp_path, "http://127.0.0.1:9", revision="main")
    assert offline["facts"] == first["facts"]


def test_pickled_weights_are_downloaded_only_when_allowed(hub: Hub, tmp_path: Path) -> None:
    del hub.files["model.safetensors"]
    refused = ask(tmp_path, hub.url)["error"]
    assert "no safetensors weights; --coderobust-allow-bin loads" in refused
    assert "pytorch_model.bin" not in hub.sent
    assert "weights" in ask(tmp_path, hub.url, allow_bin=True)["facts"]
    assert "pytorch_model.bin" in hub.sent


@pytest.mark.parametrize("reachable", [True, False])
def test_what_cannot_be_downloaded_names_id_cache_and_folder(
    hub: Hub, tmp_path: Path, reachable: bool
) -> None:
    url = hub.url if reachable else "http://127.0.0.1:9"
    error = ask(tmp_path, url, "org/absent", revision="v2")["error"]
    assert error.startswith(
        "model 'org/absent': org/absent at revision 'v2' cannot be downloaded ("
    )
    assert str(tmp_path / "hub") in error
    assert error.endswith("a folder on disk works too: --model=./FOLDER")
    assert "\n" not in error
