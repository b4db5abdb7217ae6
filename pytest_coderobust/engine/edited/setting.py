"""What all models of a run with edits share: the plan, one workbench, one judge, one ledger."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from pytest_coderobust.editors.protocol import Weighted
from pytest_coderobust.engine.completions import CompletionStore
from pytest_coderobust.engine.edited.model_states import (
    BaseState,
    EditedState,
    ModelState,
    SuccessionStep,
)
from pytest_coderobust.engine.edited.scoring import scored_at
from pytest_coderobust.engine.edited.workbench import Benched, Workbench
from pytest_coderobust.engine.events import Listener
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.engine.verdicts import VerdictStore
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.records import Sampling
from pytest_coderobust.records.codec import decode, encode
from pytest_coderobust.records.editing import EditFacts

FACTS = "facts"


@dataclass(slots=True)
class EditSetting:
    """The place where models, edited or not, are measured.

    Attributes:
        base: the unedited model under the suite's own sampling; its self-check serves all.
    """

    plan: Plan
    backend: Weighted
    judge: VerdictStore
    ledger: Ledger
    listen: Listener
    bench: Workbench = field(init=False)
    base: Measurement = field(init=False)

    def __post_init__(self) -> None:
        self.bench = Workbench(self.backend, self._entered)
        answers = self._answers(BaseState(self.backend.identity))
        self.base = Measurement(self.plan, answers, self.judge, self.ledger, self.listen)

    def measuring(
        self, recipe: ModelState, what: str, sampling: Sampling | None = None
    ) -> Measurement:
        """The suite on the model of a recipe, by the suite's own sampling or another one.

        Args:
            what: tells it from the suite's other measurements.
        """
        config = self.plan.config
        title = f"{config.name}, {what}"
        plan = replace(
            self.plan, config=replace(config, name=title, sampling=sampling or config.sampling)
        )
        check = self.base.selfcheck()
        return Measurement(plan, self._answers(recipe), self.judge, self.ledger, self.listen, check)

    def scoring(self, recipe: ModelState, what: str, draw: int) -> Measurement:
        """The same as edits are scored: samples of a draw of their own."""
        config = self.plan.config
        sampling = scored_at(config.edit.scored, config.sampling, draw)
        return self.measuring(recipe, f"scoring {what}", sampling)

    def facts(self, recipe: EditedState | SuccessionStep) -> EditFacts:
        """What the edit showed when it was made, in this process or another one."""
        kept = self.ledger.edits(recipe.identity.digest).get(FACTS)
        if kept is None:
            self.bench.hold(recipe)
            kept = self.ledger.edits(recipe.identity.digest)[FACTS]
        return decode(EditFacts, json.loads(kept))

    def _answers(self, recipe: ModelState) -> CompletionStore:
        return CompletionStore(Benched(self.bench, recipe), self.ledger, self.listen)

    def _entered(self, recipe: EditedState | SuccessionStep) -> None:
        """Remembers what an edit showed the first time."""
        assert recipe.facts is not None
        if FACTS not in self.ledger.edits(recipe.identity.digest):
            body = json.dumps(encode(recipe.facts))
            self.ledger.keep_edit(recipe.identity.digest, FACTS, body)
