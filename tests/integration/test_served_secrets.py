"""The key of a served model is in no byte that a run leaves or prints, however the run ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import WRONG, Project
from support.scripted_server import Asked, Told, serve
from support.served_models import completed, prompt_of

KEY = "sk-SENTINEL-0123456789abcdefghij"
QUERY = "qs-SENTINEL-0123456789abcdefghij"
ENTRY = """
[tool.pytest.ini_options]
[tool.coderobust.models.prod]
server = "{url}"
id = "toy"
api_key_env = "PROD_KEY"
query = {{ token = "env:PROD_QUERY" }}
headers = {{ x-key = "env:PROD_KEY" }}
"""
NOISY = (
    "-vvv", "--showlocals", "-l", "--log-level=DEBUG", "-W", "always", "--tb=long", "--full-trace",
    "--coderobust-json=out.json", "--coderobust-html=out.html", "--coderobust-markdown=out.md",
    "--coderobust-bug-reports=bugs", "--junitxml=out.xml", "--coderobust-patience=1s",
)  # fmt: skip


@pytest.fixture
def keyed(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("PROD_KEY", KEY)
    monkeypatch.setenv("PROD_QUERY", QUERY)
    monkeypatch.setenv("CODEROBUST_KEYS", "PROD_KEY:127.0.0.1,PROD_QUERY:127.0.0.1")
    project.write_suite('perturbations = ["C1"]')
    return project


def answering(project: Project, broken: Callable[[Asked], Told | None]) -> Callable[[Asked], Told]:
    """A server of "toy" that solves clean prompts alone, and repeats the key wherever it can."""
    solutions = {str(row["prompt"]): project.canonical(at) for at, row in enumerate(project.tasks)}

    def script(asked: Asked) -> Told:
        assert asked.headers["authorization"] == f"Bearer {KEY}"
        assert asked.headers["x-key"] == KEY
        assert asked.path.endswith(f"?token={QUERY}")
        if "/models" in asked.path:
            listed = {"id": "toy", "owned_by": KEY, "max_model_len": 4096}
            return Told({"data": [listed], "key": KEY}, headers={"server": KEY})
        if asked.method == "GET":
            return Told({"detail": f"nothing for {KEY}"}, 404)
        text = solutions.get(prompt_of(asked), WRONG)
        echoed = f"{text}# {KEY} {QUERY}\n"
        told = completed(echoed, "length", system_fingerprint=KEY, usage={
            "prompt_tokens": max(len(prompt_of(asked)) // 4, 1),
            "completion_tokens": min(asked.body["max_tokens"], 3),
        })  # fmt: skip
        return broken(asked) or told

    return script


def scan(folder: Path) -> list[str]:
    """The files below a folder that hold a key."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(key.encode() in path.read_bytes() for key in (KEY, QUERY))
    ]


def is_row(asked: Asked) -> bool:
    """Whether a request is one of the suite's, and none of the handshake."""
    return asked.method == "POST" and asked.body["max_tokens"] > 64


BROKEN: dict[str, Callable[[Asked], Told | None]] = {
    "well": lambda _: None,
    "401": lambda asked: (
        Told({"error": {"message": f"Incorrect API key provided: {KEY}"}}, 401)
        if is_row(asked)
        else None
    ),
    "reset": lambda asked: Told(reset=True) if is_row(asked) else None,
    "busy": lambda asked: (
        Told({"error": KEY}, 503, {"Retry-After": "9"}) if is_row(asked) else None
    ),
    "refused": lambda asked: Told({"error": f"bad {KEY}"}, 400) if is_row(asked) else None,
    "redirect": lambda asked: (
        Told(status=307, headers={"Location": f"http://127.0.0.1:9/?{KEY}"})
        if is_row(asked)
        else None
    ),
    "handshake": lambda asked: (
        Told({"error": f"no {KEY}"}, 401) if asked.method == "POST" else None
    ),
}


@pytest.mark.parametrize(
    "end",
    [
        end if end in ("well", "401") else pytest.param(end, marks=pytest.mark.slow)
        for end in BROKEN
    ],
)
def test_no_byte_of_a_run_has_the_key(keyed: Project, end: str) -> None:
    with serve(answering(keyed, BROKEN[end])) as server:
        (keyed.path / "pyproject.toml").write_text(ENTRY.format(url=server.url))
        strict = ["--coderobust-strict"] if end == "well" else []
        result = keyed.run("toy.toml", "--model=prod", *NOISY, *strict)
    printed = result.stdout.str() + result.stderr.str()
    assert server.asked, printed
    for key in (KEY, QUERY):
        assert key not in printed
    assert scan(keyed.path) == []
    if end == "well":
        assert "toy.toml" in printed
        names = {path.name for path in keyed.path.rglob("*")}
        assert {"out.json", "out.html", "out.md", "out.xml", "bugs", "ledger.sqlite"} <= names
        assert "***" in printed, "the server repeated the key, and it was taken out"
    else:
        assert result.ret != 0


def test_no_byte_of_a_killed_run_has_the_key(keyed: Project) -> None:
    """The write-ahead log of the ledger is still there then."""
    reached = threading.Event()
    hang = threading.Event()
    rows: list[Asked] = []

    def stop(asked: Asked) -> Told | None:
        if is_row(asked):
            rows.append(asked)
            if len(rows) > 2:
                reached.set()
                hang.wait()
        return None

    with serve(answering(keyed, stop)) as server:
        (keyed.path / "pyproject.toml").write_text(ENTRY.format(url=server.url))
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "toy.toml"]
        command += ["--model=prod", "--coderobust-concurrency=1", "--coderobust-sandbox-workers=1"]
        running = subprocess.Popen(
            command, cwd=keyed.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=dict(os.environ), start_new_session=True,
        )  # fmt: skip
        while not reached.wait(0.05):
            assert running.poll() is None, running.communicate()[0].decode()
        os.killpg(running.pid, signal.SIGKILL)
        printed: Any = running.communicate()[0].decode()
        hang.set()
    assert KEY not in printed
    assert any(path.name.endswith("-wal") for path in keyed.path.rglob("*"))
    assert scan(keyed.path) == []
