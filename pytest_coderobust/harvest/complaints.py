"""Complaints about a recording that says too little, before anything is made of it."""

from __future__ import annotations

from pytest_coderobust.errors import DataError
from pytest_coderobust.harvest.children import CallRecording

STATUSES = {
    2: "it was interrupted, or a file of tests cannot be imported",
    3: "an error inside pytest",
    4: "pytest was called in a wrong way",
    5: "no tests were found",
}
"""Exit statuses of pytest with which the tests did not run."""


def check_recording(recording: CallRecording, *, whole: bool) -> None:
    """Refuses a recording of tests that did not run, or in which no call was seen.

    Args:
        whole: all functions of the package were watched, so that tests must call some.

    Raises:
        DataError: with what pytest said last.
    """
    why = STATUSES.get(recording.status or 0)
    if why:
        raise DataError(
            f"pytest ended with exit status {recording.status} ({why}), so nothing is known of the "
            f"tests; its last words: {_find_last(recording.said)!r}. The project's addopts are not "
            "used here; what the tests need of them goes into --pytest-options"
        )
    if recording.status is None or recording.begun:
        return
    if not recording.watching:
        raise DataError(
            "another tool (coverage, a debugger) took Python's trace over while the tests ran, so "
            "that none of their calls could be recorded; run them without it"
        )
    if whole:
        raise DataError(
            f"the tests ran (exit status {recording.status}) and called none of the package's "
            "functions in their own process: do they import another copy of it, or start processes?"
        )


def _find_last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "rror" in line]
    return (errors or lines or ["no output"])[-1][:300]
