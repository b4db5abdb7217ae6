"""One model that holds at most one edit at a time: whoever has to answer gets its own put in.

Answers that are stored need no edit, so edits are made when a batch is really generated, by the
process that holds the lease.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from pytest_coderobust.editors.protocol import Weighted
from pytest_coderobust.engine.edited.model_states import EditedState, ModelState, SuccessionStep
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.models.forwarding import ForwardingBackend
from pytest_coderobust.records import Completion, ModelIdentity, Row, Sampling

Entered = Callable[[EditedState | SuccessionStep], None]


class Workbench:
    """The base model, and the recipe that is in force.

    Args:
        entered: hears of every edit that was put in.
    """

    def __init__(self, base: Weighted, entered: Entered) -> None:
        self.base = base
        self._entered = entered
        self._held: ModelState | None = None
        self._model: Backend = base
        self._until = ExitStack()

    def hold(self, recipe: ModelState) -> Backend:
        """The model as the recipe has it; what was in force before is undone, bit for bit.

        Raises:
            UsageError, ModelError, DataError: as the recipe.
        """
        if recipe is not self._held:
            if not _continues(self._held, recipe):
                self.release()
            self._model = recipe.enter(self.base, self._until)
            self._held = recipe
            if isinstance(recipe, (EditedState, SuccessionStep)):
                self._entered(recipe)
        return self._model

    def release(self) -> None:
        """Back to the base model."""
        self._held, self._model = None, self.base
        until, self._until = self._until, ExitStack()
        until.close()


class Benched(ForwardingBackend):
    """A backend that puts its recipe in when it has to answer; the model is the bench's."""

    def __init__(self, bench: Workbench, recipe: ModelState) -> None:
        super().__init__(bench.base)
        self.recipe = recipe
        self._bench = bench

    @property
    def identity(self) -> ModelIdentity:
        return self.recipe.identity

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:
        return self._bench.hold(self.recipe).generate(rows, sampling)


def _continues(held: ModelState | None, recipe: ModelState) -> bool:
    """Whether a succession goes on from the step that is in force."""
    return (
        isinstance(held, SuccessionStep)
        and isinstance(recipe, SuccessionStep)
        and held.succession is recipe.succession
        and held.succession.steps is not None
        and held.succession.done == held.number < recipe.number
        and not recipe.made
    )
