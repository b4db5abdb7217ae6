"""Squares on their way in a test's report, as plain data that xdist can send."""

from __future__ import annotations

import pytest

from pytest_coderobust.plugin.collection import SuiteItem
from pytest_coderobust.plugin.junit import keeps_properties
from pytest_coderobust.plugin.outcome import SEEN, STATUS, UNASKED, Seen, Unasked
from pytest_coderobust.plugin.stash import NOTES, SESSION
from pytest_coderobust.records import Status


def annotate(report: pytest.TestReport, item: pytest.Item) -> None:
    """Lets a report carry what its test observed."""
    notes, session = item.config.stash[NOTES], item.config.stash[SESSION]
    seen = [
        Seen(
            suite=suite,
            run=run,
            task=task,
            perturbation=cell.perturbation,
            seed=cell.seed,
            waves=session.suite(suite).asked is not None,
        )
        for suite, run, (task, cell) in notes.seen
    ]
    notes.seen.clear()
    if seen:
        setattr(report, SEEN, seen)
    if unasked := read_unasked(item):
        setattr(report, UNASKED, unasked)
    status = getattr(item, "status", None)
    if isinstance(status, Status):
        setattr(report, STATUS, status.value)
        if report.when == "call" and keeps_properties(item.config):
            report.user_properties.append((STATUS, status.value))


def read_unasked(item: pytest.Item) -> Unasked | None:
    """The square of an item that was not asked; None for every other item."""
    if not isinstance(item, SuiteItem) or item.unasked is None:
        return None
    return Unasked(
        suite=item.suite.reference,
        run=item.suite.measurement.run,
        task=item.task.id,
        perturbation=item.cell.perturbation,
        seed=item.cell.seed,
        why=item.unasked,
    )
