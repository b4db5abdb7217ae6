"""The resources of a session: model, ledger and sandbox, each opened when it is first used."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pytest_coderobust.config.settings import Settings
from pytest_coderobust.engine.events import Event, Listener
from pytest_coderobust.errors import SandboxError
from pytest_coderobust.session.choices import Choices, Label, spell_for_pytest

if TYPE_CHECKING:
    from pytest_coderobust.engine.guarding import Guard
    from pytest_coderobust.engine.spending import Spending
    from pytest_coderobust.engine.verdicts import VerdictStore
    from pytest_coderobust.engine.watch_book import WatchBook
    from pytest_coderobust.ledger import Ledger
    from pytest_coderobust.models.backend import Backend, IdentityTier

LEDGER = Path(".coderobust") / "ledger.sqlite"


def find_ledger(root: Path, settings: Settings) -> Path:
    """The file of a project's ledger, which may not be there yet."""
    return settings.ledger or root / LEDGER


class Resources:
    """The model, ledger and sandbox that all suites of a session share.

    Args:
        root: the project's root; the ledger and `[tool.coderobust]` lie there.
        label: how options are spelt where errors name them.
        backend: a model that somebody else opened and closes; else the one that is named.
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
        self.choices = choices
        self.settings = settings
        self.root = root
        self.label = label
        self.listeners: list[Listener] = []
        """Hear the engine's events; the first is the terminal where there is one."""
        self.notes: tuple[str, ...] = ()
        """Lines about the machines that judge, once the sandbox is open; none for this one."""
        self.tell: Callable[[str], None] = lambda _note: None
        """Hears the notes; commands print them, and pytest has a place of its own for them."""
        self.started = time.time()
        """When the session began; xdist's workers take the controller's time."""
        self.token = secrets.token_hex(8)
        """Names this session in the ledger; xdist's workers take the controller's."""
        self._borrowed = backend
        self._backend: Backend | None = None
        self._verdicts: VerdictStore | None = None
        self._ledger: Ledger | None = None
        self._guard: Guard | None = None
        self._spending: Spending | None = None
        self._watch_book: WatchBook | None = None
        if backend is not None:
            self._introduce(backend)

    @property
    def model(self) -> str:
        """The model's name as the user wrote it."""
        if self._borrowed is not None:
            return self._borrowed.identity.name
        assert self.choices.model is not None
        return self.choices.model

    @property
    def backend(self) -> Backend:
        if self._borrowed is not None:
            return self._borrowed
        if self._backend is None:
            from pytest_coderobust.session.models import open_model

            self._backend = open_model(self.choices, self.settings)
            self._introduce(self._backend)
        return self._backend

    def _introduce(self, backend: Backend) -> None:
        """Tells a served model where contacts are kept; it is met when its identity is read."""
        from pytest_coderobust.models.backend import IdentityDemand, find_guarded, find_terms

        guarded = find_guarded(backend)
        if guarded is None:
            return
        from pytest_coderobust.engine.watch_book import WatchBook

        tariff = find_terms(backend).tariff
        self._watch_book = WatchBook(lambda: self.ledger, tariff, lambda: self.spending)
        tier = cast("IdentityTier", self.choices.demand_identity)
        # The workers of xdist meet the model with the controller's time, and so as one session.
        renewed = self.started if self.choices.new_generation else None
        guarded.remember(lambda: self.ledger, IdentityDemand(tier, renewed), self._watch_book)

    def book_watching(self, run: str) -> None:
        """Books what was and will be asked to watch over a served model on a run."""
        if self._watch_book is not None:
            self._watch_book.claim(run)

    @property
    def guard(self) -> Guard:
        """The guard of the model, if it is one whose weights lie elsewhere."""
        if self._guard is None:
            from pytest_coderobust.engine.guarding import Guard

            self._guard = Guard(self.backend, self.ledger, book=self.book_watching)
        return self._guard

    def finish(self) -> None:
        """Looks at a served model before anything is concluded, kept or told of its answers.

        Raises:
            ModelError: another model answers, or none.
        """
        if self._guard is not None:
            self._guard.finish()

    @property
    def spending(self) -> Spending | None:
        """The budget in money or tokens, which all suites share; None where there is none."""
        if self._spending is None and self.choices.budget is not None:
            from pytest_coderobust.engine.budget import parse_budget
            from pytest_coderobust.engine.spending import Cap, Spending, check_cap

            budget = parse_budget(self.choices.budget)
            if budget.spends:
                cap = Cap(budget.money, budget.tokens)
                check_cap(cap, self.backend, self.model)
                self._spending = Spending(
                    cap, self.backend, self.ledger, lambda: self.guard.bound_look()
                )
        return self._spending

    @property
    def ledger(self) -> Ledger:
        if self._ledger is None:
            from pytest_coderobust.ledger import Ledger

            own = find_ledger(self.root, self.settings)
            self._ledger = Ledger(self.choices.ledger or own, self.token)
        return self._ledger

    @property
    def verdicts(self) -> VerdictStore:
        """The sandbox, whose verdicts the ledger remembers."""
        if self._verdicts is None:
            from pytest_coderobust.engine.verdicts import VerdictStore
            from pytest_coderobust.session.judges import open_judges

            unsafe = self.choices.allow_unsafe
            ledger = self.ledger  # first: one that cannot be opened leaves no sandbox behind
            try:
                sandbox, self.notes = open_judges(self.choices)
            except SandboxError as error:
                hint = "" if unsafe else f"; {self.label('allow-unsafe')} accepts limits alone"
                raise SandboxError(f"{error}{hint}") from None
            self._verdicts = VerdictStore(sandbox, ledger, self.listen)
            for note in self.notes:
                self.tell(note)
        return self._verdicts

    def listen(self, event: Event) -> None:
        """Passes an event on to every listener."""
        for listener in self.listeners:
            listener(event)

    def close(self) -> None:
        """Ends the sandbox, the model that was opened here and the ledger's connection."""
        parts = [part for part in (self._ledger, self._backend, self._verdicts) if part is not None]
        self._verdicts = self._backend = self._ledger = None
        self._guard = self._spending = None
        with ExitStack() as until:  # the last one first, and all of them whatever happens
            for part in parts:
                until.callback(part.close)
