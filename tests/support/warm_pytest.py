"""Runs of pytest in processes that begin with the libraries already imported.

Importing pytest, Hypothesis, torch and transformers takes three to eight seconds of a run that itself
takes half a second. Where the start of the interpreter matters (its own variables, coverage),
`can_be_warm` says no, and the caller starts a new one.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

# Read by the interpreter, by libraries or by coverage before the first line of a program.
_READ_AT_START = ("PYTHON", "COV", "LC_", "LANG", "OMP_", "MKL_", "HF_", "TRANSFORMERS_")
_ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def can_be_warm(environment: Mapping[str, str]) -> bool:
    """Says whether a fork of the server is like a new process under this environment."""
    names = {name for name in {*environment, *_ENVIRONMENT} if name.startswith(_READ_AT_START)}
    return not any(name.startswith("COV") for name in names) and all(
        environment.get(name) == _ENVIRONMENT.get(name) for name in names
    )


def run_warm(folder: Path, environment: Mapping[str, str], *arguments: str) -> pytest.RunResult:
    """Runs pytest with these arguments in a process of its own, and waits for its end."""
    streams = folder / "stdout", folder / "stderr"
    asked = {
        "folder": str(folder),
        "environment": dict(environment),
        "arguments": arguments,
        "out": str(streams[0]),
        "err": str(streams[1]),
    }
    begun = time.monotonic()
    status = _ask(_server(), json.dumps(asked))
    out, err = (path.read_text(encoding="utf-8").splitlines() for path in streams)
    sys.stdout.write("\n".join(["pytest " + " ".join(arguments), *out, *err, ""]))
    return pytest.RunResult(status, out, err, time.monotonic() - begun)


def _ask(server: subprocess.Popen[str], line: str) -> int:
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(line + "\n")
    server.stdin.flush()
    return int(server.stdout.readline())


@functools.cache
def _server() -> subprocess.Popen[str]:
    """Starts this process's server, which ends when this process does."""
    command = [sys.executable, str(Path(__file__).with_name("warm_server.py"))]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=_ENVIRONMENT)
