"""A process that has imported what a run of pytest needs, and forks one for every line it reads.

A line is a JSON object: the folder, the environment, the arguments and the files for both streams. The
answer is the exit status of the run. Each run ends as a program of its own does: its exit handlers run.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import random
import sys
import tempfile
from pathlib import Path
from typing import NoReturn, TextIO, cast

import pytest

LIBRARIES = (
    "numpy",
    "scipy.stats",
    "torch",
    "transformers",
    "transformers.modeling_utils",
    "transformers.models.auto",
    "transformers.models.llama.modeling_llama",
    "transformers.models.gpt2.modeling_gpt2",
)
OWN = (
    "engine",
    "gates",
    "ledger",
    "metrics",
    "models",
    "plugin",
    "reporting",
    "results",
    "session",
)


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider"])  # plugins, by its own hook
        os.chdir("/")
    for module in (*LIBRARIES, *_own_modules()):
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # a run collects its own garbage only
    for line in sys.stdin:
        child = os.fork()
        if not child:
            answers.close()
            asked = json.loads(line)
            _become_a_run(**asked)
            _end(pytest.main(asked["arguments"]))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(status, file=answers, flush=True)


def _own_modules() -> list[str]:
    """Returns the modules that runs of suites use; those of the cage and of commands are not."""
    return [
        found.name
        for package in OWN
        for found in pkgutil.walk_packages(
            importlib.import_module(f"pytest_coderobust.{package}").__path__,
            f"pytest_coderobust.{package}.",
        )
    ]


def _become_a_run(
    folder: str, environment: dict[str, str], arguments: list[str], out: str, err: str
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    sys.stdin = sys.__stdin__ = _open(0, "r")
    sys.stdout = sys.__stdout__ = _open(1, "w")
    sys.stderr = sys.__stderr__ = _open(2, "w")
    sys.argv = [str(Path(pytest.__file__).with_name("__main__.py")), *arguments]
    sys.path[0] = folder
    tempfile.tempdir = None
    random.seed()


def _open(stream: int, mode: str) -> TextIO:
    return cast("TextIO", os.fdopen(stream, mode, encoding="utf-8", closefd=False))


def _end(status: int) -> NoReturn:
    """Ends the process as an interpreter does, but does not take every library apart."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
