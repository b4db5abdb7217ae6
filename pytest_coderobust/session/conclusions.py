"""Conclusions of a session: numbers, decisions and a report for each suite."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_coderobust.config.baseline import BaselineRule
from pytest_coderobust.config.shard import Shard
from pytest_coderobust.engine.early import Why, add_course
from pytest_coderobust.errors import CodeRobustError
from pytest_coderobust.gates import GateOutcome, decide, switch_off
from pytest_coderobust.metrics.summary import Summary, summarise
from pytest_coderobust.records import ModelIdentity, Square, SuiteRun
from pytest_coderobust.results.conclusion import Origin, SuiteReport, conclude
from pytest_coderobust.results.edits import add_editing
from pytest_coderobust.results.result import DecidedRun
from pytest_coderobust.results.suite_run import assemble, note_refused
from pytest_coderobust.session.baselines import add_baseline, update
from pytest_coderobust.session.floors import add_floor
from pytest_coderobust.session.old_world import add_eligible
from pytest_coderobust.session.outputs import read_environment
from pytest_coderobust.session.quality import add_quality, choose_linter
from pytest_coderobust.session.session import Session
from pytest_coderobust.session.stopping import explain_no_early_end


@dataclass(slots=True)
class SuiteFindings:
    """Facts that a session learned about one suite.

    Attributes:
        gated: its gates are decided.
        squares: the squares that were observed.
        runs: the digests that processes stored them under; more than one is trouble.
        errors: items that ended in error.
        waves: the suite was asked in waves.
        unasked: squares that were not asked, and why.
    """

    gated: bool = False
    squares: set[Square] = field(default_factory=set["Square"])
    runs: set[str] = field(default_factory=set[str])
    errors: int = 0
    waves: bool = False
    unasked: dict[Square, Why] = field(default_factory=dict["Square", "Why"])


class Conclusions:
    """Every suite's report, with what went wrong and what is worth a note.

    Attributes:
        errors: each makes the session fail.
        notes: sentences for the terminal.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._written: set[Path] = set()
        self.reports: list[SuiteReport] = []
        self.errors: list[str] = []
        self.notes: list[str] = []

    def add(self, reference: str, seen: SuiteFindings) -> None:
        """Computes a suite's numbers and gates from the ledger, and stores its conclusion."""
        try:
            self.reports.append(self._conclude(reference, seen))
        except CodeRobustError as error:
            if seen.squares:  # else collection has reported it already
                self.errors.append(str(error))

    def update_bills(self) -> None:
        """Adds what was asked of a served model since the reports were made, as hunts ask it."""
        bills = self._session.ledger.bills
        found = [bills.of_run(each.archive.run) for each in self.reports]
        if found == [each.run.bill for each in self.reports]:
            return
        # All of them are stored anew, because the latest conclusion is the last one in reports.
        for place, (report, bill) in enumerate(zip(self.reports, found, strict=True)):
            result = replace(report.result, run=replace(report.run, bill=bill))
            self.reports[place] = self._store(report.archive.run, result, report.origin)

    def _conclude(self, reference: str, seen: SuiteFindings) -> SuiteReport:
        session = self._session
        digest = max(seen.runs, default="")
        run = self._run(reference, seen, digest)
        summary = self._judge_quality(reference, digest, run, summarise(run))
        gates = self._gates(reference, seen, run, summary)
        rule = session.suite(reference).plan.config.baseline
        result = self._against_baseline(DecidedRun(run, summary, gates), seen, rule)
        if session.choices.noise_floor and seen.gated:
            try:
                result = add_floor(session, session.suite(reference), result, digest)
            except CodeRobustError as error:
                self.errors.append(str(error))
        try:
            result = add_eligible(session, session.suite(reference), digest, result)
        except CodeRobustError as error:
            self.errors.append(str(error))
        limit = None if reference.endswith(".toml") else session.suite(reference).config.limit
        words = tuple(session.choices.arguments())
        origin = Origin(reference, words, read_environment(), limit)
        return self._store(digest, result, origin)

    def _judge_quality(
        self, reference: str, digest: str, run: SuiteRun, summary: Summary
    ) -> Summary:
        """The summary joined by the quality of the solutions, where that was asked for."""
        session = self._session
        if choose_linter(session.choices) is None:
            return summary
        try:
            return add_quality(session, session.suite(reference), digest, run, summary)
        except CodeRobustError as error:
            self.errors.append(str(error))
            return summary

    def _store(self, digest: str, result: DecidedRun, origin: Origin) -> SuiteReport:
        return conclude(self._session.ledger, digest, result, origin)

    def _run(self, reference: str, seen: SuiteFindings, digest: str) -> SuiteRun:
        """The run as far as this session saw it, with the reason where that is a part."""
        session = self._session
        suite = session.suite(reference)
        plan = suite.plan
        if digest:
            session.book_watching(digest)  # of a session that found every answer in the ledger
        model, tier = session.ledger.description(digest) or (ModelIdentity(session.model, ""), "")
        run = assemble(
            plan,
            session.ledger,
            digest,
            model,
            tier,
            seen=seen.squares,
            trouble=_describe_trouble(seen, session.choices.shard),
        )
        if session.choices.shard is not None:
            run = replace(run, shard=str(session.choices.shard))
        run = add_editing(run, plan, session.ledger, digest, seen.squares)
        if seen.errors and not run.incomplete:
            run = replace(run, incomplete=f"{seen.errors} items ended in error")
        if len(seen.runs) > 1:
            run = replace(run, incomplete="the processes disagree about the model or the suite")
        elif seen.waves and not seen.errors:
            run = add_course(run, seen.unasked)
        run = note_refused(run)
        if note := explain_no_early_end(suite):
            run = replace(run, notes=(*run.notes, note))
        return run

    def _gates(
        self, reference: str, seen: SuiteFindings, run: SuiteRun, summary: Summary
    ) -> tuple[GateOutcome, ...]:
        if not seen.gated:
            return ()
        outcomes = decide(self._session.suite(reference).gates, summary, run)
        return outcomes if self._session.choices.gates else switch_off(outcomes)

    def _against_baseline(
        self, result: DecidedRun, seen: SuiteFindings, rule: BaselineRule
    ) -> DecidedRun:
        """The suite joined by what its baseline says, or the baseline written from it."""
        choices = self._session.choices
        if choices.baseline is None or not seen.gated:
            return result
        if not choices.update_baseline:
            found = add_baseline(result, choices.baseline, rule)
            return found if choices.gates else replace(found, gates=switch_off(found.gates))
        try:
            self.notes.append(update(result, choices.baseline, self._written))
        except CodeRobustError as error:
            self.errors.append(str(error))
        return result


def _describe_trouble(seen: SuiteFindings, shard: Shard | None) -> str:
    if seen.errors:
        return f"{seen.errors} in error"
    if shard is not None:
        return f"this is shard {shard}: `coderobust merge` and `coderobust gate` decide on all"
    return "deselected, or the run stopped early"
