"""Edits of a study's arms: one state of the model for each step, made once and never in vain."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_coderobust.config.migration import MigrationConfig
from pytest_coderobust.editors.identity import edited_identity
from pytest_coderobust.editors.registry import EditorSpec
from pytest_coderobust.engine.edited.model_states import (
    BaseState,
    EditedState,
    ModelState,
    PlaceboState,
    Succession,
    SuccessionStep,
)
from pytest_coderobust.engine.edited.setting import FACTS, EditSetting
from pytest_coderobust.engine.study.arms import StudyArm
from pytest_coderobust.engine.study.requests import RequestPlan
from pytest_coderobust.engine.study.steps import StudyStep
from pytest_coderobust.errors import MemoryExhausted, ModelError
from pytest_coderobust.records import ApiChange
from pytest_coderobust.records.codec import encode
from pytest_coderobust.records.editing import EditFacts

ROTATED = ("weights", "adapter")
"""Kinds of changes that have a placebo."""


@dataclass(slots=True)
class ArmEdits:
    """The edits of one editor, for an arm and the placebo of it.

    Attributes:
        plans: the requests of each change, by its old name.
        states: of steps that were entered in this session; a placebo needs what they made.
    """

    setting: EditSetting
    arm: StudyArm
    config: MigrationConfig
    changes: Sequence[ApiChange]
    plans: Mapping[str, RequestPlan]
    states: dict[int, EditedState | SuccessionStep] = field(
        default_factory=dict[int, EditedState | SuccessionStep]
    )
    _facts: dict[int, EditFacts] = field(default_factory=dict[int, EditFacts])
    _told: dict[int, int] = field(default_factory=dict[int, int])
    _succession: Succession | None = None

    @property
    def spec(self) -> EditorSpec:
        assert self.arm.spec is not None
        return self.arm.spec

    def enter(self, step: StudyStep, *, placebo: bool) -> ModelState:
        """Gives the state of a step; the base model where its edit was refused.

        Under "successive" a refused edit leaves those before it in force.
        """
        if self.config.regime == "successive":
            facts = [self.find_facts(number) for number in range(1, step.number + 1)]
        else:
            facts = [self.find_facts(step.number)]
        made = not all(each.refused for each in facts)
        state = self._find_state(step.number) if made else None
        if state is None or (placebo and not self._has_placebo(facts)):
            return BaseState(self.setting.backend.identity)
        return PlaceboState(state, 0) if placebo else state

    def find_facts(self, number: int) -> EditFacts:
        """Finds the facts of one edit, which is made now if it never was.

        Those of a step tell every refusal so far; here only that of the edit itself is left.
        """
        if number not in self._facts:
            successive = self.config.regime == "successive"
            if successive and number > 1:
                self.find_facts(number - 1)
            facts = self._read_facts(number)
            self._told[number] = len(facts.refused)
            if successive:
                facts = replace(facts, refused=facts.refused[self._told.get(number - 1, 0) :])
            self._facts[number] = facts
        return self._facts[number]

    def list_requests(self, number: int) -> tuple[str, ...]:
        """Lists the labels of the requests of an edit."""
        plan = self.plans[self.changes[number - 1].old]
        return tuple(request.label for request in plan.requests)

    def explain_placebo(self, facts: EditFacts) -> str:
        """The reason why an edit has no placebo, or ""."""
        if facts.refused or facts.kind in ROTATED:
            return "; ".join(facts.refused)
        return f"an edit of kind {facts.kind!r} writes no weights, so it has no placebo"

    def forget(self) -> None:
        """Drops what was made, so that only one step's changes are in memory."""
        if self.config.regime == "instant":
            self.states.clear()

    def _has_placebo(self, facts: Sequence[EditFacts]) -> bool:
        return any(not self.explain_placebo(each) for each in facts)

    def _read_facts(self, number: int) -> EditFacts:
        plan = self.plans[self.changes[number - 1].old]
        if plan.reason and self.config.regime == "instant":
            return EditFacts(kind="none", refused=(plan.reason,))
        state = self._find_state(number)
        try:
            return self.setting.read_facts(state)
        except MemoryExhausted:
            raise  # which says nothing of the edit, so it is not kept
        except ModelError as error:  # it diverged, which says nothing of other changes
            facts = EditFacts(kind="none", refused=(str(error),))
            body = json.dumps(encode(facts))
            self.setting.ledger.keep_edit(state.identity.digest, FACTS, body)
            return facts

    def _find_state(self, number: int) -> EditedState | SuccessionStep:
        if number not in self.states:
            made = self._make_step if self.config.regime == "successive" else self._make_edit
            self.states[number] = made(number)
        return self.states[number]

    def _make_edit(self, number: int) -> EditedState:
        requests = self.plans[self.changes[number - 1].old].requests
        base = self.setting.backend.identity
        identity = edited_identity(base, self.spec, requests, [len(requests)])
        judge = self.setting.base.passing
        return EditedState([self.spec], requests, identity, judge, must_move=True)

    def _make_step(self, number: int) -> SuccessionStep:
        if self._succession is None:
            plans = [self.plans[change.old] for change in self.changes]
            batches = [plan.requests for plan in plans]
            self._succession = Succession(
                self.spec,
                [request for batch in batches for request in batch],
                self.setting.base.passing,
                batches,
                {place: plan.reason for place, plan in enumerate(plans, 1) if plan.reason},
            )
        taken = self._succession.batches[:number]
        identity = edited_identity(
            self.setting.backend.identity,
            self.spec,
            [request for batch in taken for request in batch],
            [*map(len, taken)],
        )
        return SuccessionStep(self._succession, number, identity)
