"""A session: the resources, and the suites that are measured with them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.config.settings import Settings, read_settings
from pytest_coderobust.config.suite import SuiteConfig
from pytest_coderobust.reporting.shell_words import join_words
from pytest_coderobust.session.checks import check_choices
from pytest_coderobust.session.choices import Choices, Label, spell_for_pytest
from pytest_coderobust.session.planning import check_cost
from pytest_coderobust.session.resources import Resources, find_ledger
from pytest_coderobust.session.root import find_root
from pytest_coderobust.session.suite import SuiteSession

if TYPE_CHECKING:
    from typing_extensions import Self

    from pytest_coderobust.engine.budget import Allowance
    from pytest_coderobust.models.backend import Backend
    from pytest_coderobust.records import Square


class Session(Resources):
    """One model under one set of choices, and every suite that is asked of it.

        with open_session(Choices(model="tiny"), Path.cwd()) as session:
            measured = session.suite("quickstart").measurement

    Attributes:
        suites: those opened so far, by reference.
        wanted: those of which something will be observed, in that order.
        allowance: what is left of the budget that all suites share; None before it is needed.
        tier: the isolation that the last probe found; "" before.
    """

    def __init__(
        self,
        choices: Choices,
        settings: Settings,
        root: Path,
        *,
        label: Label = spell_for_pytest,
        backend: Backend | None = None,
    ) -> None:
        super().__init__(choices, settings, root, label=label, backend=backend)
        self.suites: dict[str, SuiteSession] = {}
        self.wanted: list[SuiteSession] = []
        self.allowance: Allowance | None = None
        self.tier = ""
        self._cost_checked = False

    def suite(self, reference: str, config: SuiteConfig | None = None) -> SuiteSession:
        """The suite that a reference names: a TOML file from the root, or a data set's name."""
        if reference not in self.suites:
            self.suites[reference] = SuiteSession(self, reference, config)
        return self.suites[reference]

    def refer(self, file: Path) -> str:
        """The reference of a suite file: its path from the root where it lies below."""
        path = file.resolve()
        inside = path.is_relative_to(self.root)
        return path.relative_to(self.root).as_posix() if inside else str(path)

    def want(self, squares: Iterable[tuple[str, Square]]) -> None:
        """Says which squares of which suites this session will observe."""
        for reference, square in squares:
            suite = self.suite(reference)
            if not suite.wanted:
                self.wanted.append(suite)
            suite.wanted.append(square)

    def probe(self) -> None:
        """Starts the sandbox for every wanted suite, so that a refusal comes before a model loads.

        Raises:
            CodeRobustError: as `SuiteSession.probe`.
        """
        self.check_cost()
        for suite in self.wanted:
            self.tier = suite.probe()

    @property
    def sandbox_lines(self) -> list[str]:
        """Lines about the sandbox that the last probe found, for the terminal."""
        lines = [f"sandbox {self.tier}", *self.notes] if self.tier else []
        return [f"coderobust: {line}" for line in lines]

    def check_cost(self) -> None:
        """Refuses, once, what may cost much where no budget bounds it.

        Raises:
            UsageError: as `planning.check_cost`.
        """
        if not self._cost_checked:
            check_cost(self, self.wanted)
            self._cost_checked = True

    def reproduce(self, nodeid: str) -> str:
        """The command that runs one item alone, and shows the evidence if it is broken."""
        return self.command(nodeid, "--coderobust-strict")

    def command(self, nodeid: str, *flags: str) -> str:
        """The command that runs one item alone under some flags."""
        words = ["pytest", nodeid, *self.choices.arguments(), *flags]
        return join_words([*words, "--coderobust-no-gates"])

    def close(self) -> None:
        """Ends what the session opened."""
        super().close()
        self.suites.clear()
        self.wanted.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_session(
    choices: Choices,
    start: Path,
    *,
    label: Label = spell_for_pytest,
    backend: Backend | None = None,
) -> Session:
    """A session in the project that a folder belongs to; nothing heavy loads.

    Raises:
        UsageError: the model's name or another choice is wrong.
        ConfigError: the project's settings are wrong.
    """
    root = find_root(start, Path.cwd())
    session = Session(choices, read_settings(root), root, label=label, backend=backend)
    check_choices(session)
    return session


def find_project_ledger(start: Path) -> Path:
    """The ledger's file in the project that a folder belongs to; it may not be there yet.

    Raises:
        ConfigError: the project's settings are wrong.
    """
    root = find_root(start)
    return find_ledger(root, read_settings(root))
