"""States of the model on the workbench: the base model, an edited one, or a placebo.

A state knows the model's identity before anything is computed, so a run whose answers are all
stored never edits. The change that an edit computed is kept, and applied again without computing.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Protocol, cast

from pytest_coderobust.editors.identity import edited_identity, placebo_identity
from pytest_coderobust.editors.protocol import EditRequest, ModelChange, PassTest, Weighted
from pytest_coderobust.editors.registry import EditorSpec, SavedSpec
from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.records import ModelIdentity
from pytest_coderobust.records.editing import EditFacts

Stack = Sequence[EditorSpec | SavedSpec]
_APART = 1000


class ModelState(Protocol):
    """A state that the base model can be brought into."""

    @property
    def identity(self) -> ModelIdentity: ...

    def enter(self, base: Weighted, until: ExitStack) -> Backend:
        """Brings the base model into this state until `until` is closed.

        Raises:
            UsageError, ModelError, DataError: the edit cannot be made or loaded.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class BaseState:
    """The base model itself."""

    identity: ModelIdentity

    def enter(self, base: Weighted, until: ExitStack) -> Backend:  # noqa: ARG002
        return base


@dataclass(slots=True, eq=False)
class EditedState:
    """The model under a stack of editors with the same requests, the first applied first.

    Attributes:
        judge: tells which completions pass, for editors that choose their layer by tests.
        must_move: refuses an edit that makes its requests' targets no likelier.
        made: the change of each editor; empty until the state was entered once.
        facts: facts of the edit; None until the state was entered once.
    """

    specs: Stack
    requests: Sequence[EditRequest]
    identity: ModelIdentity
    judge: PassTest | None = None
    must_move: bool = False
    made: list[tuple[ModelChange, ModelIdentity]] = field(
        default_factory=list[tuple[ModelChange, ModelIdentity]]
    )
    facts: EditFacts | None = None

    def enter(self, base: Weighted, until: ExitStack) -> Backend:
        from pytest_coderobust.editors.edited_model import changed_model

        if not self.made:
            return self._compute(base, until)
        model: Weighted = base
        for change, identity in self.made:
            model = until.enter_context(changed_model(model, change, identity))
        return model

    def _compute(self, base: Weighted, until: ExitStack) -> Backend:
        from pytest_coderobust.editors.edited_model import edited
        from pytest_coderobust.editors.saved_edits import saved_edit

        model: Weighted = base
        shown: list[EditFacts] = []
        made: list[tuple[ModelChange, ModelIdentity]] = []
        for spec in self.specs:
            context = (
                saved_edit(spec, model)
                if isinstance(spec, SavedSpec)
                else edited(model, spec, self.requests, self.judge, must_move=self.must_move)
            )
            top = until.enter_context(context)
            shown.append(read_facts(top))
            made.append((top.change, top.identity))
            model = top
        self.made, self.facts = made, join_facts(shown)
        return model


@dataclass(slots=True, eq=False)
class Succession:
    """Edits of one editor for one request after the other, each on the model edited before.

    Attributes:
        batches: requests that are written together; each alone where there are none.
        skipped: why edits are not tried, by number; given, each edit must move its targets.
    """

    spec: EditorSpec
    requests: Sequence[EditRequest]
    judge: PassTest | None = None
    batches: Sequence[Sequence[EditRequest]] = ()
    skipped: Mapping[int, str] | None = None
    steps: Generator[Backend] | None = None
    done: int = 0

    def step(self, base: Weighted, number: int, until: ExitStack) -> Backend:
        """Edits on until `number` requests are done; begins anew if more are done already."""
        from pytest_coderobust.editors.edited_model import successive_batches

        if self.steps is None or self.done >= number:
            self.stop()
            batches = self.batches or [(request,) for request in self.requests]
            steps = successive_batches(base, self.spec, batches, self.judge, self.skipped)
            self.steps = cast("Generator[Backend]", steps)
        until.callback(self.stop)
        model: Backend | None = None
        while self.done < number:
            model = next(self.steps)
            self.done += 1
        assert model is not None
        return model

    def stop(self) -> None:
        """Undoes every edit."""
        if self.steps is not None:
            self.steps.close()
        self.steps, self.done = None, 0


@dataclass(slots=True, eq=False)
class SuccessionStep:
    """The model after the first `number` requests of a succession."""

    succession: Succession
    number: int
    identity: ModelIdentity
    made: list[tuple[ModelChange, ModelIdentity]] = field(
        default_factory=list[tuple[ModelChange, ModelIdentity]]
    )
    facts: EditFacts | None = None

    def enter(self, base: Weighted, until: ExitStack) -> Backend:
        from pytest_coderobust.editors.edited_model import EditedBackend, changed_model

        if self.made:
            change, identity = self.made[0]
            return until.enter_context(changed_model(base, change, identity))
        model = self.succession.step(base, self.number, until)
        assert isinstance(model, EditedBackend)
        self.made, self.facts = [(model.change, model.identity)], read_facts(model)
        return model


@dataclass(frozen=True, slots=True, eq=False)
class PlaceboState:
    """The control of an edit: each of its changes of weights, rotated at random."""

    edit: EditedState | SuccessionStep
    seed: int

    @property
    def identity(self) -> ModelIdentity:
        return placebo_identity(self.edit.identity, self.seed)

    def enter(self, base: Weighted, until: ExitStack) -> Backend:
        from pytest_coderobust.editors.edited_model import placebo

        if not self.edit.made:
            with ExitStack() as briefly:
                self.edit.enter(base, briefly)
        model: Weighted = base
        for left, (change, identity) in enumerate(self.edit.made, 1 - len(self.edit.made)):
            # A rotation of its own for each change of a stack; the last has the seed of the name.
            seed = self.seed - _APART * left
            model = until.enter_context(placebo(model, change, identity, seed))
        return model


def identify_stack(base: Backend, specs: Stack, requests: Sequence[EditRequest]) -> ModelIdentity:
    """Computes the identity of the base model under a stack of edits.

    Raises:
        UsageError: a saved edit comes after another edit.
        DataError: a saved edit cannot be read.
    """
    from pytest_coderobust.editors.saved_edits import saved_identity

    identity = base.identity
    for place, spec in enumerate(specs):
        if not isinstance(spec, SavedSpec):
            identity = edited_identity(identity, spec, requests)
        elif place:
            raise UsageError(f"--edit {spec.folder}: a saved edit must be the first of the stack")
        else:
            identity = saved_identity(spec, base)
    return identity


def read_facts(model: object) -> EditFacts:
    """Reads the facts of the edit that is in force."""
    from pytest_coderobust.editors.edited_model import EditedBackend

    assert isinstance(model, EditedBackend)
    facts, cost = model.facts, model.cost
    layers = facts.get("layers", facts.get("layer", ()))
    drift = facts.get("drift")
    return EditFacts(
        kind=model.change.kind,
        layers=(layers,) if isinstance(layers, int) else tuple(cast("Sequence[int]", layers)),
        seconds=round(cost.seconds or 0.0, 3),
        peak_mb=round((cost.peak_bytes or 0) / 2**20, 1),
        drift=drift if isinstance(drift, float) else None,
        notes=tuple(cast("Sequence[str]", facts.get("notes", ()))),
        nll=(model.fit.before, model.fit.after) if model.fit else (),
        met=model.fit.met if model.fit else None,
        refused=model.refused,
        traced=model.traced,
    )


def join_facts(shown: Sequence[EditFacts]) -> EditFacts:
    """Joins the facts of a stack's edits: seconds add up, memory and drift are the largest."""
    if len(shown) == 1:
        return shown[0]
    drifts = [each.drift for each in shown if each.drift is not None]
    return EditFacts(
        kind="+".join(dict.fromkeys(each.kind for each in shown)),
        layers=tuple(layer for each in shown for layer in each.layers),
        seconds=sum(each.seconds for each in shown),
        peak_mb=max(each.peak_mb for each in shown),
        drift=max(drifts, default=None),
        notes=tuple(note for each in shown for note in each.notes),
        traced=next((each.traced for each in shown if each.traced), ()),
    )
