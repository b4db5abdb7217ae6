"""Setting of a run with edits: the plan, workbench, sandbox and ledger that its models share."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from pytest_coderobust.editors.protocol import Weighted
from pytest_coderobust.editors.request_traces import Traces, trace_refusal
from pytest_coderobust.engine.completions import CompletionStore
from pytest_coderobust.engine.edited.model_states import (
    BaseState,
    EditedState,
    ModelState,
    SuccessionStep,
)
from pytest_coderobust.engine.edited.scoring import make_scoring_sampling
from pytest_coderobust.engine.edited.workbench import Workbench, WorkbenchBackend
from pytest_coderobust.engine.events import Listener
from pytest_coderobust.engine.measurement import Measurement
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.engine.verdicts import VerdictStore
from pytest_coderobust.errors import EditRefused
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.watch import unwatched
from pytest_coderobust.records import Sampling
from pytest_coderobust.records.codec import decode, encode
from pytest_coderobust.records.editing import EditFacts

FACTS = "facts"


@dataclass(slots=True)
class EditSetting:
    """The plan, workbench, sandbox and ledger that all models of a run with edits share.

    Attributes:
        base: the measurement of the unedited model under the suite's own sampling; all others
            use its self-check.
    """

    plan: Plan
    backend: Weighted
    judge: VerdictStore
    ledger: Ledger
    listen: Listener
    workbench: Workbench = field(init=False)
    base: Measurement = field(init=False)

    def __post_init__(self) -> None:
        self.workbench = Workbench(self.backend, self._store_facts)
        answers = self._open_completions(BaseState(self.backend.identity))
        self.base = Measurement(self.plan, answers, self.judge, self.ledger, self.listen)

    def make_measurement(
        self, state: ModelState, what: str, sampling: Sampling | None = None
    ) -> Measurement:
        """Makes a measurement of the suite on a state of the model.

        Args:
            what: part of the measurement's name, which differs from all others of the suite.
            sampling: the suite's own if left out.
        """
        config = self.plan.config
        title = f"{config.name}, {what}"
        plan = replace(
            self.plan, config=replace(config, name=title, sampling=sampling or config.sampling)
        )
        check = self.base.selfcheck()
        return Measurement(
            plan, self._open_completions(state), self.judge, self.ledger, self.listen, check
        )

    def make_scoring(self, state: ModelState, what: str, draw: int) -> Measurement:
        """Makes a measurement for scoring, under the sampling of a draw."""
        config = self.plan.config
        sampling = make_scoring_sampling(config.edit.scored, config.sampling, draw)
        return self.make_measurement(state, f"scoring {what}", sampling)

    def read_facts(self, state: EditedState | SuccessionStep) -> EditFacts:
        """Reads the stored facts of an edit, which is made now if it never was before.

        That an editor refused is stored like any other fact; the kind is then "none".
        """
        kept = self.ledger.edits(state.identity.digest).get(FACTS)
        if kept is None:
            try:
                with unwatched():  # editors ask the model too
                    self.workbench.hold(state)
            except EditRefused as refusal:
                if isinstance(state, EditedState) and not state.requests:
                    raise  # a saved edit; there is no request to be refused
                traced: Traces = ()
                if isinstance(state, EditedState):
                    traced = trace_refusal(state.requests, refusal)
                why = (str(refusal),)
                state.facts = EditFacts(kind="none", refused=why, traced=traced)
                self._store_facts(state)
            kept = self.ledger.edits(state.identity.digest)[FACTS]
        return decode(EditFacts, json.loads(kept))

    def _open_completions(self, state: ModelState) -> CompletionStore:
        backend = WorkbenchBackend(self.workbench, state)
        tags = self.plan.config.reading.reasoning
        return CompletionStore(backend, self.ledger, self.listen, tags)

    def _store_facts(self, state: EditedState | SuccessionStep) -> None:
        """Stores the facts of an edit, unless they are stored already."""
        assert state.facts is not None
        if FACTS not in self.ledger.edits(state.identity.digest):
            body = json.dumps(encode(state.facts))
            self.ledger.keep_edit(state.identity.digest, FACTS, body)
