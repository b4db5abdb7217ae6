"""Workbench: the one loaded model, which is in one state at a time.

Several backends share it, each with a state of its own. The model is brought into a backend's
state when a batch is really generated, by the process that holds the lease; answers that are
stored need no edit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from pytest_coderobust.editors.protocol import Weighted
from pytest_coderobust.engine.edited.model_states import EditedState, ModelState, SuccessionStep
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.models.forwarding import ForwardingBackend
from pytest_coderobust.models.watch import unwatched
from pytest_coderobust.records import Completion, ModelIdentity, Row, Sampling

EditListener = Callable[[EditedState | SuccessionStep], None]


class Workbench:
    """The base model, and the state that is in force.

    Args:
        listen: called after every edit that was put in.
    """

    def __init__(self, base: Weighted, listen: EditListener) -> None:
        self.base = base
        self._listen = listen
        self._held: ModelState | None = None
        self._model: Backend = base
        self._until = ExitStack()

    def hold(self, state: ModelState) -> Backend:
        """Brings the model into a state; the state before is undone, bit for bit.

        Raises:
            UsageError, ModelError, DataError: the state cannot be entered.
        """
        if state is not self._held:
            if not _continues(self._held, state):
                self.release()
            try:
                self._model = state.enter(self.base, self._until)
            except BaseException:
                self.release()  # a stack may have put its first edits in
                raise
            self._held = state
            if isinstance(state, (EditedState, SuccessionStep)):
                self._listen(state)
        return self._model

    def release(self) -> None:
        """Undoes the state in force, so that the base model is back."""
        self._held, self._model = None, self.base
        until, self._until = self._until, ExitStack()
        until.close()


class WorkbenchBackend(ForwardingBackend):
    """A backend that brings the model into its state when it has to answer."""

    def __init__(self, workbench: Workbench, state: ModelState) -> None:
        super().__init__(workbench.base)
        self.state = state
        self._workbench = workbench

    @property
    def identity(self) -> ModelIdentity:
        return self.state.identity

    def generate(self, rows: Sequence[Row], sampling: Sampling) -> Sequence[Completion]:
        with unwatched():  # editors ask the model too
            model = self._workbench.hold(self.state)
        return model.generate(rows, sampling)


def _continues(held: ModelState | None, state: ModelState) -> bool:
    """Whether `state` is a later step of the succession whose step is in force."""
    return (
        isinstance(held, SuccessionStep)
        and isinstance(state, SuccessionStep)
        and held.succession is state.succession
        and held.succession.steps is not None
        and held.succession.done == held.number < state.number
        and not state.made
    )
