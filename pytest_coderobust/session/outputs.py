"""Report files of a session: those its options name, and the step summary of a CI job."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path

from pytest_coderobust.errors import CodeRobustError
from pytest_coderobust.results.conclusion import SuiteReport
from pytest_coderobust.session.choices import Choices, spell_for_pytest

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
PACKAGES = ("pytest-coderobust", "pytest", "torch", "transformers", "tokenizers")


def read_environment() -> dict[str, str]:
    """Versions that a stranger needs to repeat a run; names no machine and no path."""
    found = {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def write_outputs(
    reports: Sequence[SuiteReport], choices: Choices, failures: Path
) -> Iterator[str]:
    """Writes every file that was asked for; yields a sentence for each that cannot be written.

    Args:
        failures: where hunts keep their minimal failures.
    """
    from pytest_coderobust.reporting.formats import write_format

    for name, path in choices.formats.items():
        yield from try_writing(spell_for_pytest(name), path, partial(write_format, name, reports))
    if choices.bug_reports is not None:
        from pytest_coderobust.reporting.bugs.folder import write_bugs
        from pytest_coderobust.results.known_failures import read_failures

        written = partial(write_bugs, reports, read_failures(failures, reports))
        yield from try_writing("--coderobust-bug-reports", choices.bug_reports, written)
    if summary := os.environ.get(STEP_SUMMARY):
        yield from try_writing(STEP_SUMMARY, Path(summary), partial(append_summary, reports))


def try_writing(name: str, path: Path, written: Callable[[Path], None]) -> Iterator[str]:
    """Writes to `path`; a sentence where that fails."""
    try:
        written(path)
    except (OSError, CodeRobustError) as error:
        yield f"{name} {path} cannot be written: {error}"


def append_summary(reports: Sequence[SuiteReport], path: Path) -> None:
    """Adds the Markdown report to what the step has said already, within GitHub's limit."""
    from pytest_coderobust.reporting.markdown.report import LIMIT, render

    said = path.stat().st_size if path.exists() else 0
    text = render(reports, LIMIT - said - 1)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(f"\n{text}" if said and text else text)
