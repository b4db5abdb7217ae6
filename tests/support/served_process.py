"""A served model in a process of its own: solves the toy project's tasks, logs what it was asked.

    python -m support.served_process FOLDER [HOLD]

It prints its address, and after HOLD answers a line "holding": further requests of a suite are then
never answered, until there is a file FOLDER/released. A task whose function is called as FOLDER/refused says is refused.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import FUNCTIONS

from support.recorded_servers import LLAMA, play
from support.scripted_server import Asked, Told, serve

LIMIT = 77
"""Tokens that the suites of these tests allow: requests of a suite are told by it."""


def answer(folder: Path, hold: int) -> None:
    """Serves until the process is killed."""
    lock, forever = threading.Lock(), threading.Event()
    answered = 0

    def solve(asked: Asked) -> Told | None:
        nonlocal answered
        body = asked.body or {}
        if body.get("max_tokens") != LIMIT:
            return None
        with lock:
            with (folder / "asked.log").open("a") as log:
                log.write(json.dumps([body["prompt"], body.get("seed")]) + "\n")
            answered += 1
            if answered == hold + 1:
                print("holding", flush=True)  # noqa: T201
            held = 0 < hold < answered and not (folder / "released").exists()
        if held:
            forever.wait()
        name = str(body["prompt"]).partition("(")[0].removeprefix("def ")
        refused = folder / "refused"
        if refused.exists() and name in refused.read_text().split():
            choice = {"text": "", "finish_reason": "content_filter"}
        else:
            choice = {"text": f"    return {FUNCTIONS[name][1]}\n", "finish_reason": "stop"}
        usage = {"prompt_tokens": 30, "completion_tokens": 10, "total_tokens": 40}
        return Told(
            {"model": LLAMA.answers_as or body["model"], "choices": [choice], "usage": usage}
        )

    with serve(play(LLAMA, solve)) as server:
        print(server.url, flush=True)  # noqa: T201
        forever.wait()


@contextmanager
def serving(folder: Path, hold: int = 0) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Runs the server; gives its address and the process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "support.served_process", str(folder), str(hold)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def read_asked(folder: Path) -> list[tuple[str, int]]:
    """Prompt and seed of each request of a suite, in the order of their arrival."""
    path = folder / "asked.log"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(str(prompt), int(seed)) for prompt, seed in map(json.loads, lines)]


if __name__ == "__main__":
    answer(Path(sys.argv[1]), int(sys.argv[2]))
