"""One suite of a session: its plan, its gates, its measurement, and what was asked of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from pytest_coderobust.config.edits import with_editors
from pytest_coderobust.config.suite import (
    SuiteConfig,
    make_named_suite,
    read_suite,
    with_perturbations,
)
from pytest_coderobust.errors import UsageError
from pytest_coderobust.records import CANARY, IDENTITY
from pytest_coderobust.session.edits import check_model, open_edited, read_stack
from pytest_coderobust.session.resources import Resources

if TYPE_CHECKING:
    from pytest_coderobust.engine.early import Asked
    from pytest_coderobust.engine.edited.measurement import EditedMeasurement
    from pytest_coderobust.engine.measurement import Measurement
    from pytest_coderobust.engine.plan import Plan
    from pytest_coderobust.gates import Gate
    from pytest_coderobust.models.backend import Backend
    from pytest_coderobust.records import Square


class SuiteSession:
    """One suite on the session's model.

    Args:
        reference: how the session names the suite: a TOML file from the root, or a name.
        config: the suite itself, where it comes from no file.

    Attributes:
        wanted: the squares that this session will observe.
        own: tests of the user's own ask this suite, too.
        in_waves: whether it is asked in waves; None before that is known.
        asked: what was asked of a suite that is asked in waves; None before.
    """

    def __init__(
        self, resources: Resources, reference: str, config: SuiteConfig | None = None
    ) -> None:
        self.reference = reference
        self.resources = resources
        self.wanted: list[Square] = []
        self.own = False
        self.in_waves: bool | None = None
        self.asked: Asked | None = None
        self._config = config
        self._plan: Plan | None = None
        self._measurement: Measurement | EditedMeasurement | None = None

    @property
    def config(self) -> SuiteConfig:
        """The suite under the user's choices.

        Raises:
            ConfigError: the file is wrong.
        """
        choices = self.resources.choices
        config = self._config or self._read()
        if choices.perturb is not None:
            config = with_perturbations(config, choices.perturb, "--perturb: ")
        if choices.edit:
            config = replace(config, edit=with_editors(config.edit, choices.edit, "--edit"))
        if config.edit.editors:
            read_stack(config.edit, self.resources)
        return config

    @property
    def plan(self) -> Plan:
        """The plan, read once.

        Raises:
            ConfigError, DataError: the suite or its tasks cannot be read.
        """
        if self._plan is None:
            from pytest_coderobust.engine.plan import read_plan

            self._plan = read_plan(self.config, memory=lambda: self.resources.ledger)
        return self._plan

    @property
    def gates(self) -> tuple[Gate, ...]:
        """The gates, checked against what the suite itself plans.

        Under `--perturb` the plan may lack a gate's condition; that gate is then not judged.

        Raises:
            ConfigError: a gate is not valid, or asks for what the suite never measures.
        """
        from pytest_coderobust.gates import check_gates, parse_gate

        plan = self.plan
        where = f"{plan.config.path}: [suite] gates"
        gates = tuple(parse_gate(source, where) for source in plan.config.gates)
        if self.resources.choices.perturb is None:
            conditions = [cell.perturbation for cell in plan.cells]
            train = plan.config.train
            check_gates(gates, plan.config.ks, conditions, plan.levels, where, train)
        return gates

    def probe(self) -> str:
        """The isolation that solutions will run under; starts the sandbox.

        Raises:
            ConfigError: a package of the suite is not installed.
            SandboxError: no isolation works here, the suite demands more, or a package does not
                work in it.
            UsageError, ModelError, DataError: an edit does not fit the model.
        """
        from pytest_coderobust.engine.keys import find_packages
        from pytest_coderobust.sandbox import demand_tier

        config = self.plan.config
        packages = find_packages(config)  # before the sandbox: a wrong name needs none
        tier = self.resources.verdicts.tier
        demand_tier(tier, config.minimum_tier, f"{config.path}: [sandbox] minimum_tier")
        if packages:
            where = f"{config.path}: [sandbox] packages"
            self.resources.verdicts.demand(packages, where)
        if config.edit.editors:
            check_model(config.edit, self.resources)
        return tier

    @property
    def measurement(self) -> Measurement | EditedMeasurement:
        """The suite under measurement, with every square that this session wants."""
        if self._measurement is None:
            self.probe()  # before the model: a refusal should not wait for its weights
            if self.plan.config.edit.editors:
                self._measurement = open_edited(self.plan, self.resources)
            else:
                self._measurement = self.measure_with(self.resources.backend)
            self._measurement.want(self.wanted)
        return self._measurement

    @property
    def single(self) -> Measurement:
        """The measurement, for what asks one model.

        Raises:
            UsageError: the suite edits its model.
        """
        from pytest_coderobust.engine.measurement import Measurement

        found = self.measurement
        if isinstance(found, Measurement):
            return found
        raise UsageError(
            f"{self.reference}: a hunt asks one model, and an edit makes several; save the edited "
            "model and name it with --model"
        )

    @property
    def unedited(self) -> Measurement:
        """The suite on the model before any edit."""
        from pytest_coderobust.engine.measurement import Measurement

        found = self.measurement
        return found if isinstance(found, Measurement) else found.base

    def measure_with(self, backend: Backend) -> Measurement:
        """The suite on one backend."""
        from pytest_coderobust.engine.completions import CompletionStore
        from pytest_coderobust.engine.measurement import Measurement

        shared = self.resources
        guard = shared.guard if backend is shared.backend else None
        if guard is not None:
            for first in islice(self.plan.tasks.values(), 1):
                guard.add_prompt(first.prompt, first.language)
            guard.settle()  # what a killed session left open is decided before anything is read
        tags = self.plan.config.reading.reasoning
        completions = CompletionStore(backend, shared.ledger, shared.listen, tags, guard)
        if guard is not None and (spending := shared.spending) is not None:
            completions.brakes = (spending,)
        measurement = Measurement(
            self.plan, completions, shared.verdicts, shared.ledger, shared.listen
        )
        if guard is not None:
            shared.book_watching(measurement.run)
        for name, fact in measurement.model.facts.items():
            if measurement.model.served_tier and name in (IDENTITY, CANARY):
                # More may be known of a served model than when its run was first described.
                shared.ledger.add_fact(measurement.run, name, fact)
        return measurement

    def _read(self) -> SuiteConfig:
        reference, root = self.reference, self.resources.root
        if reference.endswith(".toml"):
            return read_suite(root / reference)
        named = [file for file in self.resources.settings.suites if file.stem == reference]
        return read_suite(named[0]) if named else make_named_suite(reference, root)
