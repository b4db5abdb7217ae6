"""Real servers as processes of their own: llama.cpp's on a GGUF file, and `transformers serve`."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import urllib3

PROCESS = Path(__file__).with_name("llama_process.py")
ASK_EVERY = 0.02
_UVICORN = re.compile(r"running on (http://[\d.:]+)")


@dataclass(frozen=True, slots=True)
class RealServer:
    """A running server; `url` ends in /v1 and `model` is the name that it serves."""

    url: str
    model: str
    process: subprocess.Popen[str]


@contextmanager
def serve_gguf(
    file: Path,
    log: Path,
    *,
    slots: int = 4,
    window: int = 512,
    port: int = 0,
    alias: str = "tiny",
    exact: bool = False,
    wait: bool = True,
) -> Iterator[RealServer]:
    """Serves a GGUF file with llama.cpp's server, one thread, until the block ends.

    Args:
        log: gets what the server says of itself.
        slots: requests that it answers side by side, each with its own window.
        port: 0 takes a free one.
        exact: attention is in float32, and not partly in float16, llama.cpp's own choice.
        wait: until it is ready; else the block begins as soon as it takes connections, which it
            does before it has loaded. That needs a port.
    """
    command = [sys.executable, str(PROCESS), str(file), str(port), str(slots), str(window), alias]
    command.append("exact" if exact else "half")
    with _running(command, log, {}) as process:
        if not wait:
            _wait_until_open(port, process, log)
            yield RealServer(f"http://127.0.0.1:{port}/v1", alias, process)
            return
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready.startswith("ready "), log.read_text(errors="replace")[-2000:]
        root = ready.split()[1]
        wait_until_healthy(root, process)
        yield RealServer(f"{root}/v1", alias, process)


@contextmanager
def serve_folder(folder: Path, log: Path) -> Iterator[RealServer]:
    """Serves a checkpoint's folder with `transformers serve`, one thread, until the block ends."""
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(folder)]
    command += ["--device", "cpu", "--host", "127.0.0.1", "--port", "0"]
    with _running(command, log, {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}) as process:
        while not (ready := _UVICORN.search(log.read_text(errors="replace"))):
            assert process.poll() is None, log.read_text(errors="replace")[-2000:]
            time.sleep(ASK_EVERY)
        wait_until_healthy(ready[1], process, log)
        yield RealServer(f"{ready[1]}/v1", str(folder), process)


def wait_until_healthy(
    root: str, process: subprocess.Popen[str], log: Path | None = None
) -> list[int]:
    """Asks for /health until the answer is 200; returns the statuses before it, 0 for no answer.

    It waits as long as the process lives, however busy the machine is.
    """
    seen: list[int] = []
    with urllib3.PoolManager(retries=False) as pool:
        while process.poll() is None:
            status = 0
            with suppress(urllib3.exceptions.HTTPError):
                status = pool.request("GET", f"{root}/health").status
            if status == 200:
                return seen
            seen.append(status)
            time.sleep(ASK_EVERY)
    raise AssertionError(log.read_text(errors="replace")[-2000:] if log else "the server ended")


def find_free_port() -> int:
    """Finds a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def _wait_until_open(port: int, process: subprocess.Popen[str], log: Path) -> None:
    while process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(ASK_EVERY)
    raise AssertionError(log.read_text(errors="replace")[-2000:])


@contextmanager
def _running(
    command: list[str], log: Path, extra: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    with log.open("w") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if "llama" in command[1] else errors,
            stderr=errors,
            text=True,
            env={**os.environ, **extra},
        )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
