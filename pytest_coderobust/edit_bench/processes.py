"""Processes of a benchmark: one for each editor, so that none sees another's memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

PREFIX = "coderobust: "
"""Beginning of the line in which a command says why it ended."""

Forward = Callable[[str], None]
"""Hears each line that a process writes about its progress."""


def run_editors(
    command: Sequence[str], texts: Sequence[str], jobs: int, forward: Forward
) -> Mapping[str, str]:
    """Runs the command once for each editor, so many at a time.

    Args:
        command: words of the command without `--edit`.
        texts: editors as the user wrote them.

    Returns:
        Why an editor's process ended without measuring it, by the editor's text.
    """

    def run(text: str) -> str:
        return run_process([*command, f"--edit={text}"], forward)

    with ThreadPoolExecutor(max(1, jobs)) as pool:
        ends = pool.map(run, texts)
        return {text: end for text, end in zip(texts, ends, strict=True) if end}


def run_process(words: Sequence[str], forward: Forward) -> str:
    """Runs a command of `coderobust` in a process of its own; returns why it failed, or ""."""
    line = [sys.executable, "-m", "pytest_coderobust.cli", *words]
    last = ""
    with subprocess.Popen(  # noqa: S603 - this program again
        line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        assert process.stderr is not None
        for text in process.stderr:
            if text.startswith(PREFIX):
                last = text.removeprefix(PREFIX).strip()
            else:
                forward(text.rstrip("\n"))
    if process.returncode == 0:
        return ""
    return last or f"its process ended with status {process.returncode}"
