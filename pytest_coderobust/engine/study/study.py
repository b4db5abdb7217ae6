"""Running of a study: every arm on the same tasks in the same world, each answer stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace

from pytest_coderobust.config.migration import MigrationConfig
from pytest_coderobust.engine.edited.model_states import BaseState, ModelState
from pytest_coderobust.engine.edited.setting import EditSetting
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.engine.observations import Answered
from pytest_coderobust.engine.study.arms import StudyArm
from pytest_coderobust.engine.study.asking import (
    StudyAsker,
    list_checks,
    list_verdicts,
    make_outcomes,
    watch_pairs,
)
from pytest_coderobust.engine.study.editing import ArmEdits
from pytest_coderobust.engine.study.material import StudyMaterial
from pytest_coderobust.engine.study.requests import RequestSource, choose_wrong, plan_requests
from pytest_coderobust.engine.study.steps import AskedPair, StudyStep, plan_steps
from pytest_coderobust.engine.verdicts import VerdictStore
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.metrics.eligible import uses_and_passes
from pytest_coderobust.migration.study.outcomes import PairOutcome, by_key
from pytest_coderobust.migration.study.tabulation import StudyReferences
from pytest_coderobust.records import Sampling, digest

StudyProgress = Callable[[str], None]
"""Called with a sentence about each stage."""


@dataclass(slots=True)
class ArmOutcomes:
    """Everything that one arm came to."""

    arm: StudyArm
    outcomes: tuple[PairOutcome, ...]
    edits: ArmEdits | None = None


@dataclass(slots=True)
class Study:
    """One study.

    Args:
        base: the suite on the unedited model.
        setting: the workbench for edits; None where no arm edits.
    """

    base: Measurement
    setting: EditSetting | None
    judge: VerdictStore
    ledger: Ledger
    material: StudyMaterial
    arms: tuple[StudyArm, ...]
    report: StudyProgress = lambda _: None
    steps: tuple[StudyStep, ...] = ()
    asker: StudyAsker = field(init=False)
    _edits: dict[object, ArmEdits] = field(default_factory=dict[object, ArmEdits])
    _old: list[Answered | None] = field(default_factory=list["Answered | None"])

    def __post_init__(self) -> None:
        self.steps = plan_steps(self.material, self.config)
        run = digest("study", self.base.run, repr(astuple(self.config)))
        self.asker = StudyAsker(self.judge, self.ledger, run, self.material)

    @property
    def config(self) -> MigrationConfig:
        return self.base.plan.config.migration

    @property
    def asked(self) -> list[AskedPair]:
        """Every pair of the study."""
        return [each for step in self.steps for each in step.asked]

    @property
    def about(self) -> list[AskedPair]:
        """The pairs that a change is about."""
        return [each for each in self.asked if each.pair.own is not None]

    def refer(self) -> StudyReferences:
        """Measures what the arms are compared with.

        Raises:
            ModelError, SandboxError: the harness failed.
        """
        sampling = self.base.sampling
        self.report("the unedited model in the old world")
        watched = watch_pairs(self.about)
        self._old = self.asker.ask(self.base, watched, sampling, arm="before")
        unedited = self.asker.ask(self.base, self.asked, sampling, arm="before")
        none = self.asker.ask(self.base, self.asked, self.sampling, arm="none")
        n = sampling.n
        return StudyReferences(
            old=by_key(make_outcomes(watched, list_verdicts(self._old), n)),
            unedited=by_key(make_outcomes(self.asked, list_verdicts(unedited), n)),
            none=by_key(make_outcomes(self.asked, list_verdicts(none), n)),
            ks=self.base.plan.config.ks,
            solved_at=self.base.plan.config.solved_at,
        )

    @property
    def sampling(self) -> Sampling:
        """The sampling of every arm: another draw than the reference's, so that "none" shows
        how much of a difference is noise.
        """
        own = self.base.sampling
        return own if own.greedy else replace(own, seed=own.seed + 1)

    def measure(self) -> Iterator[ArmOutcomes]:
        """Measures each arm, in order but for placebos, which come with their editor.

        Raises:
            ModelError, SandboxError: the harness failed.
        """
        left = list(self.arms)
        while left:
            first = left[0]
            family = [first]
            if first.spec is not None:
                family = [each for each in left if self._key(each) == self._key(first)]
            left = [each for each in left if each not in family]
            yield from self._measure_family(family)

    def _measure_family(self, family: Sequence[StudyArm]) -> Iterator[ArmOutcomes]:
        if family[0].spec is None:
            for arm in family:
                self.report(arm.name)
                yield ArmOutcomes(arm, self._measure_unedited(arm))
            return
        edits = self._find_edits(family[0])
        found: dict[str, list[PairOutcome]] = {arm.name: [] for arm in family}
        instant = self.config.regime == "instant"
        order = (
            [(arm, step) for step in self.steps for arm in _order(family)]
            if instant
            else [(arm, step) for arm in _order(family) for step in self.steps]
        )
        for place, (arm, step) in enumerate(order):
            self.report(f"{arm.name}, edit {step.number} of {len(self.material.changes)}")
            state = edits.enter(step, placebo=arm.control == "placebo")
            found[arm.name] += self._measure_state(arm, state, step)
            if place + 1 == len(order) or order[place + 1][1] is not step:
                edits.forget()
        assert self.setting is not None
        self.setting.workbench.release()
        for arm in family:
            yield ArmOutcomes(arm, tuple(found[arm.name]), edits)

    def _measure_unedited(self, arm: StudyArm) -> tuple[PairOutcome, ...]:
        answered = self.asker.ask(
            self.base, self.asked, self.sampling, arm=arm.name, front=arm.front
        )
        verdicts = list_verdicts(answered)
        if arm.codemod:
            verdicts = self.asker.migrate(self.base, answered)
        return make_outcomes(self.asked, verdicts, self.sampling.n)

    def _measure_state(
        self, arm: StudyArm, state: ModelState, step: StudyStep
    ) -> tuple[PairOutcome, ...]:
        assert self.setting is not None
        measurement = self.base
        if not isinstance(state, BaseState):
            measurement = self.setting.make_measurement(state, f"study of {arm.name}")
        answered = self.asker.ask(
            measurement, step.asked, self.sampling, arm=arm.name, front=arm.front
        )
        return make_outcomes(step.asked, list_verdicts(answered), self.sampling.n)

    def _key(self, arm: StudyArm) -> object:
        """Arms of equal key are made of the same edits."""
        if arm.spec is None:
            return arm.name
        return arm.spec.digest, arm.form, arm.control == "wrong-change"

    def _find_edits(self, arm: StudyArm) -> ArmEdits:
        key = self._key(arm)
        if key not in self._edits:
            assert self.setting is not None
            source = RequestSource(
                self._list_own() if arm.form == "own" else {},
                choose_wrong(self.material.changes),
                self.config.requests,
            )
            plans = {
                change.old: plan_requests(
                    arm, change, self.material.reliability[change.old], source
                )
                for change in self.material.changes
            }
            changes = self.material.changes
            self._edits[key] = ArmEdits(self.setting, arm, self.config, changes, plans)
        return self._edits[key]

    def _list_own(self) -> dict[str, str]:
        """Lists answers of the model's own that use the API and pass, as continuations."""
        found: dict[str, str] = {}
        for answered in filter(None, self._old):
            task = answered.variant.task
            checks = list_checks(self.base, answered)
            for check, (_, verdict) in zip(checks, answered.verdicts, strict=True):
                own = check.solution.startswith(task.prompt) and uses_and_passes(verdict)
                if own and task.id not in found:
                    found[task.id] = check.solution[len(task.prompt) :]
        return found


def _order(family: Sequence[StudyArm]) -> list[StudyArm]:
    """Orders a family so that edits come before their placebos."""
    return sorted(family, key=lambda arm: arm.control == "placebo")
