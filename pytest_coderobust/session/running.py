"""The run of a whole suite in one call, on the path that pytest's items take."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.engine.selfcheck import OracleError
from pytest_coderobust.errors import CodeRobustError, LedgerError, ModelError
from pytest_coderobust.results.conclusion import SuiteReport
from pytest_coderobust.results.evidence import Archive
from pytest_coderobust.session.conclusions import Conclusions, SuiteFindings
from pytest_coderobust.session.session import Session
from pytest_coderobust.session.stopping import check_suite, explain_unasked

if TYPE_CHECKING:
    from pytest_coderobust.records import Square
    from pytest_coderobust.session.suite import SuiteSession

FATAL = (ModelError, OracleError, LedgerError)
"""Errors that every further item would meet as well."""


def run_suite(session: Session, reference: str) -> Conclusions:
    """Measures every square of a suite, and concludes about it as a run of pytest does.

    Returns:
        the conclusions, with one report. An item that could not be judged makes the run partial,
        and its sentence joins the errors.

    Raises:
        CodeRobustError: the suite cannot be read, the model cannot be used, or nothing can be
            concluded.
    """
    suite = session.suite(reference)
    plan = suite.plan
    _ = suite.gates  # a wrong gate is refused before anything is measured
    check_suite(suite)
    squares = [(task, cell) for cell in plan.cells for task in plan.tasks]
    session.want((reference, square) for square in squares)
    session.probe()
    found = SuiteFindings(gated=True)
    trouble = list(_observe(session, suite, squares, found))
    session.finish()
    conclusions = Conclusions(session)
    conclusions.add(reference, found)
    if not conclusions.reports:
        raise CodeRobustError("; ".join([*trouble, *conclusions.errors]) or "nothing was measured")
    conclusions.errors[:0] = trouble
    return conclusions


def _observe(
    session: Session, suite: SuiteSession, squares: list[Square], found: SuiteFindings
) -> Iterator[str]:
    """Observes squares in plan order; yields a sentence for each that could not be judged.

    Raises:
        CodeRobustError: every further square would meet the same trouble.
    """
    measurement = suite.measurement
    for square in squares:
        task, cell = square
        if why := explain_unasked(session, suite, square):
            found.unasked[square] = why
            found.runs.add(measurement.run)
            continue
        try:
            measurement.measure(suite.plan.tasks[task], cell)
        except FATAL:
            raise
        except CodeRobustError as error:
            found.errors += 1
            yield f"{task}[{cell.label}]: {error}"
            continue
        found.runs.add(measurement.run)
        found.squares.add(square)
    found.waves = suite.asked is not None


@contextmanager
def reopen_evidence(report: SuiteReport, path: Path) -> Generator[SuiteReport]:
    """Context of a report whose session has ended, with the ledger open again.

    Args:
        path: the ledger's file.

    Raises:
        LedgerError: it is gone.
    """
    from pytest_coderobust.ledger import Ledger

    if not path.is_file():
        raise LedgerError(f"{path}: the ledger of this run is gone, and its evidence with it")
    ledger = Ledger(path)
    try:
        yield replace(report, archive=Archive(ledger, report.archive.run))
    finally:
        ledger.close()
