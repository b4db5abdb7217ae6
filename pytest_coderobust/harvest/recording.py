"""Child process that runs doctests and tests while calls are recorded.

    python -m pytest_coderobust.harvest.recording REQUEST.json

The request has "places" ([file, line, class]), "modules" (full names, for their doctests), "tests"
(paths for pytest, maybe none), "options" (for pytest too) and "out", the file that the calls go to.
The process has the user's rights, as the project's tests always had.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib
import json
import os
import runpy
import sys
import traceback
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_coderobust.harvest.recorder import CallRecorder, start_recording


def main(path: str) -> None:
    """Records what a request asks for and writes it."""
    request = json.loads(Path(path).read_text(encoding="utf-8"))
    recorder = CallRecorder({(file, line): owner for file, line, owner in request["places"]})
    told: dict[str, Any] = {"doctests": 0, "failed": 0, "status": None, "missing": {}, "begun": 0}
    is_watching = start_recording(recorder)
    try:
        run_doctests(request["modules"], told)
        if request["tests"]:
            before = recorder.begun
            told["status"] = run_pytest([*request["options"], *request["tests"]])
            told["begun"] = recorder.begun - before
    finally:
        told["watching"] = is_watching()
        write_calls(Path(request["out"]), recorder, told)
        sys.stdout.flush()
        os._exit(0)  # threads that tests left running have nothing more to say


def run_doctests(modules: list[str], told: dict[str, Any]) -> None:
    """Runs the doctests of modules; what an example prints does not count here."""
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner(verbose=False)
    for name in modules:
        module = import_module(name, told)
        if module is None:
            continue
        top = name.partition(".")[0]
        try:
            tests = finder.find(module, module.__name__, extraglobs={top: sys.modules[top]})
        except Exception as error:  # noqa: BLE001  objects of a module may refuse to be looked at
            told["missing"][name] = type(error).__name__
            continue
        for test in tests:
            with contextlib.redirect_stdout(None), contextlib.redirect_stderr(None):
                outcome = runner.run(test, out=lambda _text: None)
            told["doctests"] += outcome.attempted
            told["failed"] += outcome.failed


def import_module(name: str, told: dict[str, Any]) -> ModuleType | None:
    """Imports a module; None where it cannot be imported here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except BaseException as error:  # noqa: BLE001  another system's module raises what it likes
        told["missing"][name] = type(error).__name__
        return None


def run_pytest(arguments: list[str]) -> int:
    """Runs tests with pytest, quietly, and without the project's `addopts`; returns its status.

    Coverage would take the trace over, and processes of pytest-xdist would run the tests elsewhere.
    """
    os.environ.pop("PYTEST_ADDOPTS", None)
    off = ("-p", "no:cacheprovider", "-p", "no:coderobust", "-o", "addopts=")
    # This package is imported before pytest could rewrite it, and a project may make errors of
    # warnings.
    calm = ("-W", "ignore:Module already imported so cannot be rewritten")
    sys.argv = ["pytest", "-q", "--no-header", *off, *calm, *arguments]
    try:
        runpy.run_module("pytest", run_name="__main__")
    except SystemExit as end:
        return int(end.code) if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001  what pytest or a plugin of the project raises on its way
        traceback.print_exc()
        return 3
    return 0


def write_calls(path: Path, recorder: CallRecorder, told: dict[str, Any]) -> None:
    """Writes the recorded calls as JSON."""
    calls = [[*place, list(seen.values())] for place, seen in recorder.found.items()]
    refused = [[*place, counts] for place, counts in recorder.refused.items()]
    path.write_text(json.dumps({**told, "calls": calls, "refused": refused}), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
