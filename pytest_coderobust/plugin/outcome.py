"""The end of a session: gather what was seen, decide the gates, report.

Runs on the controller alone. Under xdist the workers' reports carry what they observed; the
numbers come from the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

import pytest

from pytest_coderobust.config.baseline import BaselineRule
from pytest_coderobust.engine.early import Why, add_course
from pytest_coderobust.errors import CodeRobustError
from pytest_coderobust.gates import GateOutcome, Judged, decide, exit_failed, switch_off
from pytest_coderobust.hunt.store import FOLDER
from pytest_coderobust.metrics.summary import Summary, summarise
from pytest_coderobust.plugin.baselines import update, with_baseline
from pytest_coderobust.plugin.early import UNASKED, Unasked, note_on
from pytest_coderobust.plugin.floors import with_floor
from pytest_coderobust.plugin.junit import add_gates, keeps_properties
from pytest_coderobust.plugin.outputs import environment, write_outputs
from pytest_coderobust.plugin.session import CodeRobust
from pytest_coderobust.records import Cell, ModelIdentity, Square, Status, SuiteRun
from pytest_coderobust.results.conclusion import Origin, SuiteReport, conclude
from pytest_coderobust.results.edits import with_editing
from pytest_coderobust.results.suite_run import assemble

if TYPE_CHECKING:
    from pytest_coderobust.hunt.tally import SuiteHunt

SEEN = "coderobust_seen"
STATUS = "coderobust_status"


class Seen(TypedDict):
    """One observed square as it travels in a test report."""

    suite: str
    run: str
    task: str
    perturbation: str
    seed: int
    waves: bool


@dataclass(slots=True)
class SuiteFindings:
    """What a session learned about one suite."""

    gated: bool = False
    squares: set[Square] = field(default_factory=set["Square"])
    runs: set[str] = field(default_factory=set[str])
    errors: int = 0
    waves: bool = False
    unasked: dict[Square, Why] = field(default_factory=dict["Square", "Why"])


class Findings:
    """Collects observations from the reports of every process."""

    def __init__(self, state: CodeRobust) -> None:
        self._state = state
        self._suites: dict[str, SuiteFindings] = {}
        self.reports: list[SuiteReport] = []
        self.errors: list[str] = []
        self.notes: list[str] = []
        self._written: set[Path] = set()
        self.hunts: list[SuiteHunt] = []

    def collected(self, reference: str) -> None:
        """A suite file was collected: its gates will be decided."""
        self._suites.setdefault(reference, SuiteFindings()).gated = True

    def collected_ids(self, ids: Iterable[str]) -> None:
        """The node ids of an xdist worker; suites are the files that end in .toml."""
        for reference in {name.partition("::")[0] for name in ids}:
            if reference.endswith(".toml"):
                self.collected(reference)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Takes what a test report carries."""
        for seen in cast("list[Seen]", getattr(report, SEEN, ())):
            suite = self._suites.setdefault(seen["suite"], SuiteFindings())
            suite.runs.add(seen["run"])
            suite.waves |= seen["waves"]
            suite.squares.add((seen["task"], Cell(seen["perturbation"], seen["seed"])))
        if left := cast("Unasked | None", getattr(report, UNASKED, None)):
            suite = self._suites.setdefault(left["suite"], SuiteFindings())
            suite.runs.add(left["run"])
            suite.waves = True
            square = (left["task"], Cell(left["perturbation"], left["seed"]))
            suite.unasked[square] = cast("Why", left["why"])
        reference = report.nodeid.partition("::")[0]
        # xdist reports the item of a crashed worker under a "when" of its own.
        if report.when != "call" and report.failed and reference in self._suites:
            self._suites[reference].errors += 1

    def conclude(self) -> None:
        """Computes every suite's numbers and gates from the ledger."""
        for reference, suite in sorted(self._suites.items()):
            if not (suite.gated or suite.squares):
                continue
            try:
                self.reports.append(self._conclude(reference, suite))
            except CodeRobustError as error:
                if suite.squares:  # else collection has told it already
                    self.errors.append(str(error))

    @property
    def judged(self) -> tuple[Judged, ...]:
        """Every suite's run with its numbers and decisions."""
        return tuple(report.judged for report in self.reports)

    def reproduce(self) -> Iterator[str]:
        """For each suite with broken prompts, the command that shows the first of them."""
        for report in self.reports:
            found = (o for o in report.run.observations if o.status is Status.BROKEN)
            if first := next(found, None):
                reference = report.origin.reference
                yield self._state.reproduce(f"{reference}::{first.task_id}[{first.cell.label}]")

    def wants_hunt(self, exitstatus: int | pytest.ExitCode) -> bool:
        """Whether a hunt was asked for, and the session came to an end of its own."""
        ended = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        return self._state.choices.hunt and exitstatus in ended

    def write(self, config: pytest.Config) -> None:
        """Writes the reports that were asked for; one that cannot be written fails the run."""
        add_gates(config, self.reports)
        self.errors += write_outputs(self.reports, self._state.choices, self._state.root / FOLDER)

    @property
    def failed(self) -> bool:
        """Whether the gates make the session fail."""
        return bool(self.errors) or exit_failed(
            [outcome for _, _, outcomes in self.judged for outcome in outcomes]
        )

    def _conclude(self, reference: str, suite: SuiteFindings) -> SuiteReport:
        state = self._state
        plan = state.plan(reference)
        digest = max(suite.runs, default="")
        model, tier = state.ledger.description(digest) or (ModelIdentity(state.model, ""), "")
        run = assemble(
            plan, state.ledger, digest, model, tier, seen=suite.squares, trouble=_trouble(suite)
        )
        run = with_editing(run, plan, state.ledger, digest, suite.squares)
        if suite.errors and not run.incomplete:
            run = replace(run, incomplete=f"{suite.errors} items ended in error")
        if len(suite.runs) > 1:
            run = replace(run, incomplete="the processes disagree about the model or the suite")
        elif suite.waves and not suite.errors:
            run = add_course(run, suite.unasked)
        if note := note_on(state, reference):
            run = replace(run, notes=(*run.notes, note))
        summary = summarise(run)
        judged = self._against_baseline(
            (run, summary, self._gates(reference, suite, run, summary)),
            suite,
            plan.config.baseline,
        )
        if state.choices.noise_floor and suite.gated:
            try:
                judged = with_floor(state, reference, judged)
            except CodeRobustError as error:
                self.errors.append(str(error))
        origin = Origin(reference, tuple(state.choices.arguments()), environment())
        return conclude(state.ledger, digest, judged, origin)

    def _gates(
        self, reference: str, suite: SuiteFindings, run: SuiteRun, summary: Summary
    ) -> tuple[GateOutcome, ...]:
        if not suite.gated:
            return ()
        outcomes = decide(self._state.gates(reference), summary, run)
        return outcomes if self._state.choices.gates else switch_off(outcomes)

    def _against_baseline(self, judged: Judged, suite: SuiteFindings, rule: BaselineRule) -> Judged:
        """The suite joined by what its baseline says, or the baseline written from it."""
        choices = self._state.choices
        if choices.baseline is None or not suite.gated:
            return judged
        if not choices.update_baseline:
            run, summary, outcomes = with_baseline(judged, choices.baseline, rule)
            return run, summary, outcomes if choices.gates else switch_off(outcomes)
        try:
            self.notes.append(update(judged, choices.baseline, self._written))
        except CodeRobustError as error:
            self.errors.append(str(error))
        return judged


def annotate(report: pytest.TestReport, item: pytest.Item, state: CodeRobust) -> None:
    """Lets a report carry what its test observed, as plain data that xdist can send."""
    seen = [
        Seen(
            suite=suite,
            run=run,
            task=task,
            perturbation=cell.perturbation,
            seed=cell.seed,
            waves=suite in state.asked,
        )
        for suite, run, (task, cell) in state.seen
    ]
    state.seen.clear()
    if seen:
        setattr(report, SEEN, seen)
    if unasked := getattr(item, "unasked", None):
        setattr(report, UNASKED, unasked)
    status = getattr(item, "status", None)
    if isinstance(status, Status):
        setattr(report, STATUS, status.value)
        if report.when == "call" and keeps_properties(item.config):
            report.user_properties.append((STATUS, status.value))


def _trouble(suite: SuiteFindings) -> str:
    return f"{suite.errors} in error" if suite.errors else "deselected, or the run stopped early"
