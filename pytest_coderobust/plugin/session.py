"""What one pytest process holds: the model, the judge, the ledger, the suites; opened when used."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.config.edits import with_editors
from pytest_coderobust.config.settings import Settings
from pytest_coderobust.config.suite import (
    SuiteConfig,
    make_named_suite,
    read_suite,
    with_perturbations,
)
from pytest_coderobust.engine.events import Event, Listener
from pytest_coderobust.errors import SandboxError, UsageError
from pytest_coderobust.plugin.choices import Choices
from pytest_coderobust.plugin.models import known_models, model_options

if TYPE_CHECKING:
    from coderobust_strategies import Edit
    from pytest_coderobust.engine.budget import Allowance
    from pytest_coderobust.engine.early import Asked
    from pytest_coderobust.engine.edited.measurement import EditedMeasurement
    from pytest_coderobust.engine.measurement import Measurement
    from pytest_coderobust.engine.plan import Plan
    from pytest_coderobust.engine.verdicts import VerdictStore
    from pytest_coderobust.gates import Gate
    from pytest_coderobust.ledger import Ledger
    from pytest_coderobust.models.backend import Backend
    from pytest_coderobust.records import Square, Task

LEDGER = Path(".coderobust") / "ledger.sqlite"


class CodeRobust:
    """The shared state of a run that names a model.

    Args:
        root: pytest's root directory; the ledger and `[tool.coderobust]` live there.
        listener: hears the engine's events; replaced by the terminal when there is one.
    """

    def __init__(self, choices: Choices, settings: Settings, root: Path) -> None:
        self.choices = choices
        self.settings = settings
        self.root = root
        self.listener: Listener | None = None
        self.wanted: dict[str, list[Square]] = {}
        self.own: set[str] = set()
        """Suites that tests of the user's own ask, too."""
        self.started = time.time()
        """When the session began; workers are told the controller's time."""
        self.allowance: Allowance | None = None
        self.asked: dict[str, Asked] = {}
        """What was asked of each suite that is asked in waves."""
        self.tier = ""
        """What `probe` said at the start of the run; "" before."""
        self.seen: list[tuple[str, str, Square]] = []
        """Squares observed by the test that runs now: suite, run digest, square."""
        self.drawn: list[tuple[str, Task, frozenset[Edit]]] = []
        """Prompts that the running test drew and the model did not solve: suite, task, edits."""
        self._plans: dict[str, Plan] = {}
        self._suites: dict[str, Measurement | EditedMeasurement] = {}
        self._backend: Backend | None = None
        self._judge: VerdictStore | None = None
        self._ledger: Ledger | None = None

    @property
    def model(self) -> str:
        """The model's name as the user wrote it."""
        assert self.choices.model is not None
        return self.choices.model

    @property
    def backend(self) -> Backend:
        if self._backend is None:
            from pytest_coderobust.models.registry import open_backend

            self._backend = open_backend(
                self.model, options=model_options(self.choices), known=known_models(self.settings)
            )
        return self._backend

    @property
    def ledger(self) -> Ledger:
        if self._ledger is None:
            from pytest_coderobust.ledger import Ledger

            path = self.choices.ledger or self.settings.ledger or self.root / LEDGER
            self._ledger = Ledger(path)
        return self._ledger

    @property
    def judge(self) -> VerdictStore:
        if self._judge is None:
            from pytest_coderobust.engine.verdicts import VerdictStore
            from pytest_coderobust.sandbox import open_sandbox

            unsafe = self.choices.allow_unsafe
            try:
                sandbox = open_sandbox(self.choices.sandbox_workers, allow_unsafe=unsafe)
            except SandboxError as error:
                hint = "" if unsafe else "; --coderobust-allow-unsafe accepts limits alone"
                raise SandboxError(f"{error}{hint}") from None
            self._judge = VerdictStore(sandbox, self.ledger, self.listen)
        return self._judge

    def suite_config(self, reference: str) -> SuiteConfig:
        """The suite a reference names: a TOML file, or a data set's name.

        Raises:
            ConfigError: the file is wrong.
        """
        path = self.root / reference
        if reference.endswith(".toml"):
            config = read_suite(path)
        else:
            named = [suite for suite in self.settings.suites if suite.stem == reference]
            config = read_suite(named[0]) if named else make_named_suite(reference, self.root)
        if self.choices.perturb is not None:
            config = with_perturbations(config, self.choices.perturb, "--perturb: ")
        if self.choices.edit:
            config = replace(config, edit=with_editors(config.edit, self.choices.edit, "--edit"))
        if config.edit.editors:
            from pytest_coderobust.plugin.editing import edit_stack

            edit_stack(config.edit, self.model)
        return config

    def plan(self, reference: str) -> Plan:
        """The plan of a suite, read once.

        Raises:
            ConfigError, DataError: the suite or its tasks cannot be read.
        """
        if reference not in self._plans:
            from pytest_coderobust.engine.plan import read_plan

            self._plans[reference] = read_plan(
                self.suite_config(reference), memory=lambda: self.ledger
            )
        return self._plans[reference]

    def gates(self, reference: str) -> tuple[Gate, ...]:
        """The gates of a suite, checked against what the suite itself plans.

        Under `--perturb` the plan may lack a gate's condition; that gate is then not judged.

        Raises:
            ConfigError: a gate is none, or asks for what the suite never measures.
        """
        from pytest_coderobust.gates import check_gates, parse_gate

        plan = self.plan(reference)
        where = f"{plan.config.path}: [suite] gates"
        gates = tuple(parse_gate(source, where) for source in plan.config.gates)
        if self.choices.perturb is None:
            conditions = [cell.perturbation for cell in plan.cells]
            check_gates(gates, plan.config.ks, conditions, plan.levels, where)
        return gates

    def probe(self, reference: str) -> str:
        """The isolation that solutions of a suite will run under; starts the sandbox.

        Raises:
            SandboxError: none works here, or the suite demands more.
            UsageError, ModelError, DataError: an edit does not fit the model.
        """
        from pytest_coderobust.sandbox import demand_tier

        config = self.plan(reference).config
        where = f"{config.path}: [sandbox] minimum_tier"
        demand_tier(self.judge.tier, config.minimum_tier, where)
        if config.edit.editors:
            from pytest_coderobust.plugin.editing import check_model

            check_model(self, reference)
        return self.judge.tier

    def suite(self, reference: str) -> Measurement | EditedMeasurement:
        """The suite under measurement, with every square that this session wants."""
        if reference not in self._suites:
            self.probe(reference)  # before the model: a refusal should not wait for its weights
            measuring = self._open_suite(reference)
            measuring.want(self.wanted.get(reference, ()))
            self._suites[reference] = measuring
        return self._suites[reference]

    def unedited(self, reference: str) -> Measurement:
        """The suite under measurement, for what asks one model.

        Raises:
            UsageError: the suite edits its model.
        """
        from pytest_coderobust.engine.measurement import Measurement

        found = self.suite(reference)
        if isinstance(found, Measurement):
            return found
        raise UsageError(
            f"{reference}: a hunt asks one model, and an edit makes several; save the edited "
            "model and name it with --model"
        )

    def _open_suite(self, reference: str) -> Measurement | EditedMeasurement:
        if self.plan(reference).config.edit.editors:
            from pytest_coderobust.plugin.editing import open_regime

            return open_regime(self, reference)
        from pytest_coderobust.engine.completions import CompletionStore
        from pytest_coderobust.engine.measurement import Measurement

        answers = CompletionStore(self.backend, self.ledger, self.listen)
        return Measurement(self.plan(reference), answers, self.judge, self.ledger, self.listen)

    def want(self, squares: Iterable[tuple[str, Square]]) -> None:
        """Says which squares of which suites this session will observe."""
        for reference, square in squares:
            self.wanted.setdefault(reference, []).append(square)

    def saw(self, reference: str, square: Square) -> None:
        """Says that the running test observed a square."""
        self.seen.append((reference, self.suite(reference).run, square))

    def reproduce(self, nodeid: str) -> str:
        """The command that runs one item alone, and shows the evidence if it is broken."""
        return self.command(nodeid, "--coderobust-strict")

    def command(self, nodeid: str, *flags: str) -> str:
        """The command that runs one item alone under some flags."""
        words = ["pytest", nodeid, *self.choices.arguments(), *flags]
        return shlex.join([*words, "--coderobust-no-gates"])

    def listen(self, event: Event) -> None:
        if self.listener is not None:
            self.listener(event)

    def close(self) -> None:
        """Ends the model, the sandbox and the ledger's connection."""
        for part in (self._judge, self._backend, self._ledger):
            if part is not None:
                part.close()
        self._judge = self._backend = self._ledger = None
        self._suites.clear()
