"""One model that holds at most one edit at a time: whoever has to answer gets its own put in.

Answers that are stored need no edit, so edits are made when a batch is really generated, by the
process that holds the lease.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from pytest_coderobust.editors.protocol import Weighted
from pytest_coderobust.engine.edited.model_states import EditedState, ModelState, SuccessionStep
from pytest_coderobust.models.backend import Backend, KeyedBy
from pytest_coderobust.records import Completion, Row, Sampling, Variant

EditListener = Callable[[EditedState | SuccessionStep], None]


class Workbench:
    """The base model, and the recipe that is in force.

    Args:
        entered: hears of every edit that was put in.
    """

    def __init__(self, base: Weighted, listen: EditListener) -> None:
        self.base = base
        self._listen = listen
        self._held: ModelState | None = None
        self._model: Backend = base
        self._until = ExitStack()

    def hold(self, state: ModelState) -> Backend:
        """The model as the recipe has it; what was in force before is undone, bit for bit.

        Raises:
            UsageError, ModelError, DataError: as the recipe.
        """
        if state is not self._held:
            if not _continues(self._held, state):
                self.release()
            self._model = state.enter(self.base, self._until)
            self._held = state
            if isinstance(state, (EditedState, SuccessionStep)):
                self._listen(state)
        return self._model

    def release(self) -> None:
        """Back to the base model."""
        self._held, self._model = None, self.base
        until, self._until = self._until, ExitStack()
        until.close()


class WorkbenchBackend:
    """A backend that puts its recipe in when it has to answer."""

    keyed_by: KeyedBy = "prompt"

    def __init__(self, workbench: Workbench, state: ModelState) -> None:
        self.state = state
        self.identity = state.identity
        self.batch_size = workbench.base.batch_size
        self._workbench = workbench

    def unavailable(self, variant: Variant, sampling: Sampling) -> str:
        return self._workbench.base.unavailable(variant, sampling)

    def prompt_length(self, prompt: str) -> int:
        return self._workbench.base.prompt_length(prompt)

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:
        return self._workbench.hold(self.state).generate(rows, sampling)

    def close(self) -> None:
        """The model is the bench's."""


def _continues(held: ModelState | None, state: ModelState) -> bool:
    """Whether a succession goes on from the step that is in force."""
    return (
        isinstance(held, SuccessionStep)
        and isinstance(state, SuccessionStep)
        and held.succession is state.succession
        and held.succession.steps is not None
        and held.succession.done == held.number < state.number
        and not state.made
    )
