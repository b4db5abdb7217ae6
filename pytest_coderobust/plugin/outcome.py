"""Findings of a session: what its test reports say of its suites, from every process.

Runs on the controller alone. Under xdist the workers' reports carry what they observed; the
numbers come from the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict, cast

import pytest

from pytest_coderobust.engine.early import Why
from pytest_coderobust.errors import CodeRobustError
from pytest_coderobust.gates import exit_failed
from pytest_coderobust.hunting.store import FOLDER
from pytest_coderobust.plugin.junit import add_gates
from pytest_coderobust.records import Cell, Status
from pytest_coderobust.reporting.reproduction import spell_line
from pytest_coderobust.results.conclusion import SuiteReport
from pytest_coderobust.session.conclusions import Conclusions, SuiteFindings
from pytest_coderobust.session.outputs import write_outputs
from pytest_coderobust.session.session import Session

if TYPE_CHECKING:
    from pytest_coderobust.hunting.tally import SuiteHunt

SEEN = "coderobust_seen"
STATUS = "coderobust_status"
UNASKED = "coderobust_unasked"


class Seen(TypedDict):
    """One observed square as it travels in a test report."""

    suite: str
    run: str
    task: str
    perturbation: str
    seed: int
    waves: bool


class Unasked(TypedDict):
    """One square that was not asked, as it travels in a test report."""

    suite: str
    run: str
    task: str
    perturbation: str
    seed: int
    why: str


class Findings:
    """Collects observations from the reports of every process."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._suites: dict[str, SuiteFindings] = {}
        self._conclusions = Conclusions(session)
        self.hunts: list[SuiteHunt] = []

    def add_suite(self, reference: str) -> None:
        """A suite file was collected: its gates will be decided."""
        self._suites.setdefault(reference, SuiteFindings()).gated = True

    def add_suites_of(self, ids: Iterable[str]) -> None:
        """The node ids of an xdist worker; suites are the files that end in .toml."""
        for reference in {name.partition("::")[0] for name in ids}:
            if reference.endswith(".toml"):
                self.add_suite(reference)

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
            if suite.gated or suite.squares:
                self._conclusions.add(reference, suite)

    @property
    def reports(self) -> list[SuiteReport]:
        """Every suite's run with its numbers, decisions and evidence."""
        return self._conclusions.reports

    @property
    def errors(self) -> list[str]:
        """Sentences about trouble at the end of the session; each makes it fail."""
        return self._conclusions.errors

    @property
    def notes(self) -> list[str]:
        """Sentences for the terminal."""
        return self._conclusions.notes

    def reproduce(self) -> Iterator[str]:
        """For each suite with broken prompts, the command that shows the first of them."""
        for report in self.reports:
            found = (o for o in report.run.observations if o.status is Status.BROKEN)
            if first := next(found, None):
                yield spell_line(first, report)

    def wants_hunt(self, exitstatus: int | pytest.ExitCode) -> bool:
        """Whether a hunt was asked for, and the session came to an end of its own."""
        ended = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        return self._session.choices.hunt and exitstatus in ended

    def hunt(self) -> None:
        """Hunts on every suite of the session; trouble joins the errors.

        The budget is shared: the next suite has what the one before left of its completions.
        """
        from pytest_coderobust.engine.budget import Budget, parse_budget
        from pytest_coderobust.session.hunting import hunt_suite, list_solved

        chosen = self._session.choices.budget
        budget = parse_budget(chosen) if chosen else Budget()
        for report in self.reports:
            solved = list_solved(report.run.observations)
            if not solved:
                continue
            try:
                hunt = hunt_suite(self._session, report.origin.reference, solved, budget)
            except CodeRobustError as error:
                self.errors.append(f"hunt on {report.run.suite}: {error}")
                continue
            self.hunts.append(hunt)
            if budget.completions is not None:
                spent = sum(each.spent.completions for each in hunt.hunted)
                budget = replace(budget, completions=max(0, budget.completions - spent))
        self._conclusions.update_bills()

    def write(self, config: pytest.Config) -> None:
        """Writes the reports that were asked for; one that cannot be written fails the run."""
        add_gates(config, self.reports)
        failures = self._session.root / FOLDER
        self.errors.extend(write_outputs(self.reports, self._session.choices, failures))

    @property
    def failed(self) -> bool:
        """Whether the gates make the session fail."""
        if self._session.choices.shard is not None:
            return bool(self.errors)  # a part has nothing to decide
        return bool(self.errors) or exit_failed(
            [outcome for report in self.reports for outcome in report.gates]
        )
