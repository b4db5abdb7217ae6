"""Edited models, and the contexts that put edits into a model and take them out.

    with edited(model, parse_edit("creme"), [request]) as repaired:
        repaired.generate(rows, sampling)

Contexts nest: an edited model can be edited again. While an edit is in force, the model below it
refuses to answer, so that nothing is stored under the wrong name.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Protocol, runtime_checkable

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.computing import EditCost, compute_change
from pytest_coderobust.editors.fit import FitChange
from pytest_coderobust.editors.identity import edited_identity, placebo_identity
from pytest_coderobust.editors.no_change import NoChange
from pytest_coderobust.editors.protocol import Editor, Facts, ModelChange, Weighted
from pytest_coderobust.editors.registry import EditorSpec
from pytest_coderobust.editors.request import EditRequest, PassTest
from pytest_coderobust.editors.request_traces import Traces, trace_edit, trace_refusal
from pytest_coderobust.errors import EditRefused, MemoryExhausted, ModelError, UsageError
from pytest_coderobust.models.forwarding import ForwardingBackend
from pytest_coderobust.models.loaded_model import LoadedModel
from pytest_coderobust.models.watch import unwatched
from pytest_coderobust.records import Completion, ModelIdentity, Row, Sampling, Variant, digest


@runtime_checkable
class Rotatable(Protocol):
    """Change that has a control of its own kind: the same change with other inputs."""

    def placebo(self, seed: int) -> ModelChange:
        """Makes the control; a seed's is always the same."""
        ...


class EditedBackend(ForwardingBackend):
    """A backend whose answers are those of an edited model.

    Attributes:
        change: the change that is in force.
        facts: the editor's facts, and the "drift" of the weights.
        cost: time and memory that making it took.
        fit: its targets before and after; None where they were not measured.
        stack: the edits that must be in force for this one to answer, itself the last.
        refused: the reasons of the requests that the editor did not edit for.
        traced: the requests whose layers were looked through, those that were refused too.
    """

    def __init__(
        self, below: Weighted, access: Access, change: ModelChange, identity: ModelIdentity
    ) -> None:
        super().__init__(below)
        self.change = change
        self.facts: Facts = change.facts
        self.cost = EditCost()
        self.fit: FitChange | None = None
        self._identity = identity
        self._model = below
        self._access = access
        self._prompts: dict[str, str] = {}
        self.stack: list[str] = []
        self.refused: tuple[str, ...] = ()
        self.traced: Traces = ()

    @property
    def identity(self) -> ModelIdentity:
        return self._identity

    @property
    def checkpoint_digest(self) -> str:
        return digest("edited", self._model.checkpoint_digest, self.identity.digest)

    @property
    def depth(self) -> int | None:
        return self._model.depth

    def load(self) -> LoadedModel:
        """Returns the model in memory.

        Raises:
            ModelError: this edit is no longer in force, or another one is on top of it.
        """
        loaded = self._access.loaded
        if loaded.edits != self.stack:
            state = "has been undone" if self.identity.digest not in loaded.edits else "is covered"
            raise ModelError(f"{self.identity.name}: this edit {state}, so it cannot answer")
        return loaded

    def encode(self, prompt: str, language: str) -> list[int]:
        return self._model.encode(prompt, language)

    def model_threads(self, loaded: LoadedModel) -> AbstractContextManager[None]:
        return self._model.model_threads(loaded)

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:
        return self.answer(rows, sampling, self.load())

    def answer(
        self, rows: Sequence[Row], sampling: Sampling, loaded: LoadedModel
    ) -> Sequence[Completion]:
        self._rewrite([row.variant for row in rows])
        shown = [
            replace(row, variant=replace(row.variant, prompt=self._prompts[row.variant.prompt]))
            for row in rows
        ]
        return self._model.answer(shown, sampling, loaded)

    def _rewrite(self, variants: Sequence[Variant]) -> None:
        """Rewrites the prompts that are new, all at once, and remembers the results."""
        new = {each.prompt: each for each in variants if each.prompt not in self._prompts}
        if new:
            with unwatched():
                prompts = self.change.rewrite(list(new.values()), self._access)
            self._prompts.update(zip(new, prompts, strict=True))


@contextmanager
def edited(
    backend: Weighted,
    spec: EditorSpec,
    requests: Sequence[EditRequest],
    judge: PassTest | None = None,
    *,
    must_move: bool = False,
    editor: Editor | None = None,
) -> Generator[EditedBackend]:
    """Context of the backend edited for all requests at once; restored bit-exactly on leaving.

    Args:
        judge: decides which completions pass, for a method that finds its layer by tests; None
            lets it start a sandbox.
        must_move: measures the requests' stated targets before and after, and refuses an edit that
            makes them no likelier.
        editor: the editor of the spec, opened and prepared; a new one where it is left out.

    Raises:
        UsageError: no request, or an option does not fit the model.
        ModelError: the edit cannot be made.
        EditRefused: the editor does not edit for a request, or the edit changes nothing.
    """
    _refuse_none(spec, requests)
    access = Access(backend, judge=judge)
    change, cost, fit = compute_change(
        access, spec, requests, None, must_move=must_move, editor=editor
    )
    identity = edited_identity(backend.identity, spec, requests)
    with changed_model(backend, change, identity) as model:
        model.cost, model.fit = cost, fit
        model.traced = trace_edit(requests, change.facts)
        yield model


def successive(
    backend: Weighted,
    spec: EditorSpec,
    requests: Sequence[EditRequest],
    judge: PassTest | None = None,
) -> Generator[EditedBackend]:
    """Yields the backend after one request, after two, and so on: each is valid until the next.

    The edits accumulate in the way of the method; a request that the editor refuses leaves the
    model as it was. Close the generator to restore the model.

    Raises:
        UsageError, ModelError: as `edited`.
    """
    _refuse_none(spec, requests)
    yield from successive_batches(backend, spec, [(request,) for request in requests], judge)


def successive_batches(
    backend: Weighted,
    spec: EditorSpec,
    batches: Sequence[Sequence[EditRequest]],
    judge: PassTest | None = None,
    skipped: Mapping[int, str] | None = None,
) -> Generator[EditedBackend]:
    """Yields the backend after one batch of requests, after two, and so on, as `successive`.

    Args:
        skipped: why edits are not tried, by their number from 1. Where it is given, if empty, each
            edit must move its stated targets, and one that cannot be made is refused like one that
            the editor refuses.

    Raises:
        UsageError, ModelError: as `edited`.
    """
    access = Access(backend, judge=judge)
    must_move = skipped is not None
    change: ModelChange | None = None
    refused: list[str] = []
    traced: Traces = ()
    for count, batch in enumerate(batches, 1):
        cost, fit = EditCost(), None
        try:
            if skipped and count in skipped:
                raise EditRefused(skipped[count])
            # The next edit is computed on the model that holds the edits before it.
            made, spent, moved = compute_change(access, spec, batch, change, must_move=must_move)
            traced += trace_edit(batch, made.facts)
            with made.installed(access):  # it may round away in the model's dtype
                change, cost, fit = made, spent, moved
        except ModelError as refusal:
            known = must_move or isinstance(refusal, EditRefused)
            if not known or isinstance(refusal, MemoryExhausted):
                raise
            refused.append(str(refusal))
            if isinstance(refusal, EditRefused):
                traced += trace_refusal(batch, refusal)
        taken = [request for each in batches[:count] for request in each]
        sizes = [*map(len, batches[:count])] if must_move else []
        identity = edited_identity(backend.identity, spec, taken, sizes)
        with changed_model(backend, change or NoChange(), identity) as model:
            model.cost, model.fit, model.refused = cost, fit, tuple(refused)
            model.traced = traced
            yield model


@contextmanager
def changed_model(
    backend: Weighted, change: ModelChange, identity: ModelIdentity
) -> Generator[EditedBackend]:
    """Context of the backend with a change in force: computed, saved, or a placebo.

    Raises:
        ModelError: the change does not fit the model, or changes nothing.
    """
    access = Access(backend)
    loaded = access.loaded
    model = EditedBackend(backend, access, change, identity)
    with change.installed(access) as found:
        model.facts = {**change.facts, **found}
        loaded.edits.append(identity.digest)
        model.stack = list(loaded.edits)
        try:
            yield model
        finally:
            top = loaded.edits.pop()
            assert top == identity.digest, "contexts end in the reverse order"


@contextmanager
def placebo(
    backend: Weighted, change: ModelChange, identity: ModelIdentity, seed: int
) -> Generator[EditedBackend]:
    """Context of the backend under the control of a change: its delta, rotated at random.

    The rotation is on the input side of the delta.

    Args:
        identity: that of the edited model whose change this is.

    Raises:
        UsageError: the change writes no weights, so it has no placebo.
    """
    if not isinstance(change, Rotatable):
        raise UsageError(f"an edit of kind {change.kind!r} writes no weights, so it has no placebo")
    with changed_model(backend, change.placebo(seed), placebo_identity(identity, seed)) as model:
        yield model


def _refuse_none(spec: EditorSpec, requests: Sequence[EditRequest]) -> None:
    if not requests:
        raise UsageError(f"--edit {spec.label}: there is no request to edit for")
