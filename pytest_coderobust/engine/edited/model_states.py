"""How a model on the workbench is made from the base one: not at all, by an edit, by a placebo.

A recipe knows the model's identity before anything is computed, so a run whose answers are all
stored never edits. What an edit computed is kept, and put in again without computing.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
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
    """One state of the model."""

    @property
    def identity(self) -> ModelIdentity: ...

    def enter(self, base: Weighted, until: ExitStack) -> Backend:
        """Brings the base model into this state until the stack is closed.

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
    """A stack of editors for the same requests, the first applied first.

    Attributes:
        judge: tells which completions pass, for editors that look for their layer by tests.
        made: what each of them computed; filled on entering, empty before.
        facts: what the first entering showed.
    """

    specs: Stack
    requests: Sequence[EditRequest]
    identity: ModelIdentity
    judge: PassTest | None = None
    made: list[tuple[ModelChange, ModelIdentity]] = field(
        default_factory=list[tuple[ModelChange, ModelIdentity]]
    )
    facts: EditFacts | None = None

    def enter(self, base: Weighted, until: ExitStack) -> Backend:
        from pytest_coderobust.editors.edited_model import applied

        if not self.made:
            return self._compute(base, until)
        model: Weighted = base
        for change, identity in self.made:
            model = until.enter_context(applied(model, change, identity))
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
                else edited(model, spec, self.requests, self.judge)
            )
            top = until.enter_context(context)
            shown.append(read_facts(top))
            made.append((top.change, top.identity))
            model = top
        self.made, self.facts = made, join_facts(shown)
        return model


@dataclass(slots=True, eq=False)
class Succession:
    """Requests that one editor fulfils one after the other, each on the model before it."""

    spec: EditorSpec
    requests: Sequence[EditRequest]
    judge: PassTest | None = None
    steps: Generator[Backend] | None = None
    done: int = 0

    def step(self, base: Weighted, number: int, until: ExitStack) -> Backend:
        """The model after that many requests; goes on from where it stands."""
        from pytest_coderobust.editors.edited_model import successive

        if self.steps is None or self.done >= number:
            self.stop()
            steps = successive(base, self.spec, self.requests, self.judge)
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
        from pytest_coderobust.editors.edited_model import EditedBackend, applied

        if self.made:
            change, identity = self.made[0]
            return until.enter_context(applied(base, change, identity))
        model = self.succession.step(base, self.number, until)
        assert isinstance(model, EditedBackend)
        self.made, self.facts = [(model.change, model.identity)], read_facts(model)
        return model


@dataclass(frozen=True, slots=True, eq=False)
class PlaceboState:
    """The control of an edit: its change of weights, turned at random; each one's of a stack."""

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
    """Who a model is under a stack of edits.

    Raises:
        UsageError: a saved edit stands on top of another edit.
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
    """What the edit that is in force told of itself."""
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
    )


def join_facts(shown: Sequence[EditFacts]) -> EditFacts:
    """The facts of a stack: its time in all, the worst of the rest."""
    drifts = [each.drift for each in shown if each.drift is not None]
    return EditFacts(
        kind="+".join(dict.fromkeys(each.kind for each in shown)),
        layers=tuple(layer for each in shown for layer in each.layers),
        seconds=sum(each.seconds for each in shown),
        peak_mb=max(each.peak_mb for each in shown),
        drift=max(drifts, default=None),
    )
