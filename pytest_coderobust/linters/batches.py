"""Batches of sources through a linter, under limits; a batch that breaks it is cut in halves.

A source is written into a temporary folder and read by the program. The folder is not where the
program starts, so that no source can stand for a module of the program's own.
"""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.linters.linter import Linter
from pytest_coderobust.records.lint import LintedSource

BATCH = 200
"""Files that one process judges: starting the program takes as long as twenty of them."""

KEPT = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "TMPDIR")
_FINE = "VALUE = 1\n"


@dataclass(frozen=True, slots=True)
class LintLimits:
    """Limits of one process of a linter; processor time decides, wall time is a backstop."""

    start_seconds: float = 30.0
    file_seconds: float = 2.0
    wall_seconds: float = 3600.0
    memory_bytes: int = 4 << 30


_USUAL = LintLimits()


def lint_all(
    linter: Linter, sources: Mapping[str, str], limits: LintLimits = _USUAL
) -> Iterator[dict[str, LintedSource]]:
    """Judges sources by name, a batch at a time; what breaks the linter is "unjudged".

    Args:
        sources: by a name that is an identifier of Python.

    Raises:
        SandboxError: the program does not work here at all.
    """
    names = list(sources)
    for start in range(0, len(names), BATCH):
        chunk = {name: sources[name] for name in names[start : start + BATCH]}
        yield _lint(linter, chunk, limits)


def _lint(
    linter: Linter, sources: Mapping[str, str], limits: LintLimits
) -> dict[str, LintedSource]:
    """Judges a batch; where that fails, its halves."""
    if (found := _run(linter, sources, limits)) is not None:
        return found
    if len(sources) == 1:
        if _run(linter, {"fine": _FINE}, limits) is None:
            raise SandboxError(f"{linter.name} does not work here: it fails on {_FINE!r}")
        return {name: LintedSource("unjudged") for name in sources}
    names = list(sources)
    middle = len(names) // 2
    if len(names) == BATCH and _run(linter, {"fine": _FINE}, limits) is None:
        raise SandboxError(f"{linter.name} does not work here: it fails on {_FINE!r}")
    halves = (names[:middle], names[middle:])
    parts = [_lint(linter, {name: sources[name] for name in half}, limits) for half in halves]
    return parts[0] | parts[1]


def _run(
    linter: Linter, sources: Mapping[str, str], limits: LintLimits
) -> dict[str, LintedSource] | None:
    """Judges sources in one process; None where it dies or says what it never says."""
    with tempfile.TemporaryDirectory(prefix="coderobust-lint-") as base:
        home, files = Path(base) / "home", Path(base) / "files"
        home.mkdir()
        files.mkdir()
        for name, source in sources.items():
            text = linter.quiet(source).encode("utf-8", "surrogatepass")
            (files / f"{name}.py").write_bytes(text)
        output = _start(linter, str(files), str(home), len(sources), limits)
    try:
        found = linter.read(output)
    except (ValueError, KeyError, TypeError):
        return None
    return {name: found.get(name, LintedSource()) for name in sources}


def _start(linter: Linter, files: str, home: str, count: int, limits: LintLimits) -> str:
    """Runs the program under limits; returns its output, whatever its exit status."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    fixed = {"HOME": home, "PYLINTHOME": home, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    fixed |= {"PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"}
    seconds = round(limits.start_seconds + count * limits.file_seconds)
    with subprocess.Popen(  # noqa: S603  our own words and a folder
        linter.make_command(files),
        cwd=home,
        env=kept | fixed,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            resource.prlimit(process.pid, resource.RLIMIT_CPU, (seconds, seconds))
            size = limits.memory_bytes
            resource.prlimit(process.pid, resource.RLIMIT_AS, (size, size))
            output, _ = process.communicate(timeout=limits.wall_seconds)
        except ProcessLookupError:  # it ended before it could be limited
            output, _ = process.communicate()
        except BaseException as error:
            process.kill()
            if isinstance(error, subprocess.TimeoutExpired):
                raise SandboxError(
                    f"{linter.name} did not end within {limits.wall_seconds:g} s"
                ) from None
            raise
    return output.decode("utf-8", "replace")
