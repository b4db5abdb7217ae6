"""A suite file as a collector, and each square of its plan as a test item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from _pytest._code.code import TerminalRepr

from pytest_coderobust.config.suite import read_suite_kind
from pytest_coderobust.engine.early import Why
from pytest_coderobust.engine.observations import Measured
from pytest_coderobust.engine.selfcheck import OracleError
from pytest_coderobust.errors import CodeRobustError, LedgerError, ModelError
from pytest_coderobust.plugin.solving import find_item_place
from pytest_coderobust.plugin.stash import FINDINGS, NOTES, SESSION
from pytest_coderobust.records import Cell, Square, Status, Task
from pytest_coderobust.reporting.terminal.failure import explain
from pytest_coderobust.session.stopping import check_suite, explain_skip, explain_unasked
from pytest_coderobust.session.suite import SuiteSession

NO_MODEL = (
    "{path} is a coderobust suite, and no model is named: add --model NAME "
    "(try --model tiny, the bundled one, or --model oracle, which needs no model)"
)


class BrokenPromptError(Exception):
    """Under --coderobust-strict: the clean prompt is solved, the variant is not."""


class SuiteFile(pytest.File):
    """A TOML file with a `[suite]` table."""

    @property
    def reference(self) -> str:
        """The session's name of this suite, the same in every process."""
        return self.nodeid or str(self.path)

    @property
    def suite(self) -> SuiteSession:
        return self.config.stash[SESSION].suite(self.reference)

    def collect(self) -> Iterator[pytest.Item]:
        """One item a square, the clean column first; no prompt is perturbed yet."""
        try:
            plan = self.suite.plan
            _ = self.suite.gates  # a wrong gate is refused before anything is measured
            check_suite(self.suite)
        except CodeRobustError as error:
            raise self.CollectError(str(error)) from None
        self.config.stash[FINDINGS].add_suite(self.reference)
        levels = plan.levels
        for cell in plan.cells:
            level = levels.get(cell.perturbation, "")
            for task in plan.tasks.values():
                name = f"{task.id}[{cell.label}]"
                # As text: pytest 9.2 compares ids by their parts, and --lf reads them as text.
                item = SuiteItem.from_parent(self, name=name, nodeid=f"{self.nodeid}::{name}")
                item.prepare(task, cell, level)
                yield item


class SuiteItem(pytest.Item):
    """One task under one cell. It passes when the harness worked: what it found is data."""

    task: Task
    cell: Cell
    measured: Measured | None = None
    unasked: Why | None = None

    def prepare(self, task: Task, cell: Cell, level: str) -> None:
        """Says which square this is; `from_parent` takes names only."""
        self.task, self.cell = task, cell
        words = (cell.perturbation, level, *task.tags)
        self.extra_keyword_matches.update(word for word in words if word)
        self.add_marker("coderobust")

    @property
    def suite(self) -> SuiteSession:
        assert isinstance(self.parent, SuiteFile)
        return self.parent.suite

    def setup(self) -> None:
        """Measures: trouble here is an error of the harness, never a broken model."""
        session, suite = self.config.stash[SESSION], self.suite
        square = (self.task.id, self.cell)
        try:
            session.check_cost()  # xdist's workers alone know what is wanted
            measurement = suite.measurement
            self.unasked = explain_unasked(session, suite, square)
        except CodeRobustError as error:
            self.give_up(error)
        if self.unasked:
            pytest.skip(explain_skip(suite, self.cell, self.unasked))
        try:
            self.measured = measurement.measure(self.task, self.cell)
        except (ModelError, OracleError, LedgerError) as error:
            self.give_up(error)
        except CodeRobustError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        self.config.stash[NOTES].seen.append((suite.reference, measurement.run, square))
        observation = self.measured.observation
        if not observation.measured:
            pytest.skip(f"{observation.status.value}: {observation.reason}")

    def give_up(self, error: CodeRobustError) -> NoReturn:
        """Ends the session where every further item would meet the same error."""
        self.session.shouldstop = str(error)
        raise pytest.fail.Exception(str(error), pytrace=False) from None

    def runtest(self) -> None:
        """Fails for a broken prompt under --coderobust-strict alone."""
        assert self.measured is not None
        if self.status is Status.BROKEN and self.config.stash[SESSION].choices.strict:
            raise BrokenPromptError

    @property
    def status(self) -> Status | None:
        return self.measured.observation.status if self.measured else None

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: Any = None,
    ) -> str | TerminalRepr:
        """The evidence for a broken prompt, else pytest's own."""
        if isinstance(excinfo.value, BrokenPromptError) and self.measured is not None:
            return explain(self.measured, self.config.stash[SESSION].reproduce(self.nodeid))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


def collect_suite(path: Path, parent: pytest.Collector) -> SuiteFile | None:
    """The collector for a suite file; None for every other TOML of a directory walk.

    A file without a `[suite]`, or that cannot be read, is a suite only if it stands on the command
    line; collecting it then says what is wrong with it.
    """
    if read_suite_kind(path) == "suite" or parent.session.isinitpath(path):
        return SuiteFile.from_parent(parent, path=path)
    return None


def refuse_suites(config: pytest.Config) -> None:
    """Refuses a command line that names a suite and no model.

    Raises:
        pytest.UsageError: says how to name one.
    """
    for argument in config.args:
        path = config.invocation_params.dir / argument.partition("::")[0]
        if path.suffix == ".toml" and read_suite_kind(path) == "suite":
            raise pytest.UsageError(NO_MODEL.format(path=path))


def list_wanted_squares(items: Iterable[pytest.Item]) -> Iterator[tuple[str, Square]]:
    """The suite and square of each selected item, a suite's or the user's own."""
    for item in items:
        if isinstance(item, SuiteItem):
            yield item.suite.reference, (item.task.id, item.cell)
        elif place := find_item_place(item):
            yield place.reference, (place.task_id, place.cell)


def list_own_suites(items: Iterable[pytest.Item]) -> set[str]:
    """The suites that tests of the user's own ask."""
    return {place.reference for item in items if (place := find_item_place(item))}
