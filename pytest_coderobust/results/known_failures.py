"""The minimal failures that hunts kept in files, for the suites of some reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pytest_coderobust.hunting.failure import Failure
from pytest_coderobust.hunting.store import Failures
from pytest_coderobust.results.conclusion import SuiteReport


def read_failures(folder: Path, reports: Sequence[SuiteReport]) -> list[tuple[Failure, ...]]:
    """Reads each report's failures; a file that cannot be read is left out."""
    store = Failures(folder)
    return [store.read(report.origin.reference, report.run.tasks) for report in reports]
