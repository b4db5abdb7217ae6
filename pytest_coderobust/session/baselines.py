"""The files behind `--baseline` and `--update-baseline`: found, read, compared, written."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.errors import CodeRobustError, DataError, UsageError
from pytest_coderobust.files import replace_file
from pytest_coderobust.session.choices import Choices

if TYPE_CHECKING:
    from pytest_coderobust.config.baseline import BaselineRule
    from pytest_coderobust.metrics.baseline import Baseline
    from pytest_coderobust.results.result import DecidedRun

SUFFIX = ".jsonl"


def check_baseline(choices: Choices) -> None:
    """Refuses what can be seen to be wrong before a model loads.

    Raises:
        UsageError: there is nothing to update, or a baseline cannot be read.
    """
    if choices.baseline is None:
        if choices.update_baseline:
            raise UsageError("--update-baseline needs --baseline PATH: the file to write")
    elif choices.update_baseline:
        if choices.perturb is not None:
            raise UsageError(
                "--update-baseline writes whole suites and --perturb takes a part: leave one out"
            )
    elif choices.baseline.is_file():
        try:
            read(choices.baseline)
        except DataError as error:
            raise UsageError(f"--baseline {error}") from None


def find_file(path: Path, suite: str) -> Path:
    """The file of one suite: the path itself, or its file in the folder that the path is.

    A path without a suffix is a folder.
    """
    if path.is_dir() or not path.suffix:
        return path / (re.sub(r"[^\w.-]", "_", suite) + SUFFIX)
    return path


def read(path: Path) -> Baseline:
    """The baseline in a file.

    Raises:
        DataError: it cannot be read, or is none.
    """
    from pytest_coderobust.metrics.baseline import loads

    try:
        return loads(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None


def add_baseline(result: DecidedRun, path: Path, rule: BaselineRule) -> DecidedRun:
    """The suite's numbers and decisions, joined by what its baseline says."""
    from pytest_coderobust.gates.regression import compare_with_baseline
    from pytest_coderobust.metrics.baseline import warn_of_identity

    run, summary = result.run, result.summary
    file = find_file(path, run.suite)
    baseline: Baseline | str
    try:
        baseline = read(file) if file.exists() else f"{file} is missing: add --update-baseline once"
    except DataError as error:
        baseline = str(error)
    outcome, comparison = compare_with_baseline(baseline, rule, run, summary)
    warning = "" if isinstance(baseline, str) else warn_of_identity(baseline, run)
    return replace(
        result,
        run=replace(run, notes=(*run.notes, warning)) if warning else run,
        summary=replace(summary, comparison=comparison),
        gates=(*result.gates, outcome),
    )


def update(result: DecidedRun, path: Path, written: set[Path]) -> str:
    """Writes the baseline of a whole run; a part of one leaves the file as it is.

    Args:
        written: the files that this session wrote; this one joins them.

    Returns:
        What was written.

    Raises:
        CodeRobustError: the run is partial, or the file cannot be written.
    """
    from pytest_coderobust.metrics.baseline import dumps

    run, summary = result.run, result.summary
    file = find_file(path, run.suite)
    if partial := summary.incomplete or run.incomplete:
        raise CodeRobustError(f"{file} was not updated: {partial}")
    if file in written:
        remedy = "name a folder" if file == path else "give each suite a name of its own"
        raise CodeRobustError(
            f"{file} was not updated for {run.suite}: "
            f"this run wrote another suite's there; {remedy}"
        )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # A file that is cut off in mid-writing would be taken for a smaller suite.
        replace_file(file, dumps(run).encode("utf-8"))
    except OSError as error:
        raise CodeRobustError(f"{file} cannot be written: {error}") from None
    written.add(file)
    return f"baseline of {run.suite} written to {file}"
