"""What the fixtures about edits give: the base model, edited ones, and edits of a test's own."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pytest_coderobust.plugin.session import CodeRobust
from pytest_coderobust.plugin.solving import DRAWN, TestPlace
from pytest_coderobust.records import Cell, Completion, ModelIdentity, Task, Variant

if TYPE_CHECKING:
    from pytest_coderobust.editors.protocol import EditRequest
    from pytest_coderobust.engine.measurement import Measurement
    from pytest_coderobust.engine.observations import Answered
    from pytest_coderobust.models.backend import Backend


class OneModel:
    """One model, base or edited; every answer is judged and remembered."""

    def __init__(self, identity: ModelIdentity, measuring: Measurement) -> None:
        self.identity = identity
        self._measuring = measuring

    def complete(self, task: Task, prompt: str) -> tuple[Completion, ...]:
        """The completions of any prompt for a task, under the suite's sampling."""
        return tuple(completion for _, completion in self._answer(task, prompt).completions)

    def solves(self, task: Task, prompt: str) -> bool:
        """Whether at least the suite's `solved_at` share of the completions passes every test."""
        return self._measuring.solved(self._answer(task, prompt))

    def _answer(self, task: Task, prompt: str) -> Answered:
        return self._measuring.answer(Variant(task, Cell(DRAWN), prompt))


class EditSession:
    """Edits that a test makes itself; each is undone when its block ends."""

    def __init__(self, state: CodeRobust, reference: str) -> None:
        self._state = state
        self._reference = reference

    def request(self, task_id: str, perturbation: str, seed: int = 0) -> EditRequest:
        """The request that a task's prompt be answered perturbed as it is clean."""
        from pytest_coderobust.editors.protocol import EditRequest
        from pytest_coderobust.engine.variants import make_variant

        plan = self._state.plan(self._reference)
        task = plan.tasks[task_id]
        variant = make_variant(plan, task, Cell(perturbation, seed))
        return EditRequest(task, task.prompt, variant.prompt, perturbation, seed=seed)

    @contextmanager
    def edited(self, edit: str, *requests: EditRequest) -> Generator[OneModel]:
        """The base model, edited as `--edit` would say, for these requests.

        Raises:
            UsageError: the model has no weights, or there is no such editor or option.
            ModelError: the edit cannot be made, or changes nothing.
        """
        from pytest_coderobust.editors.edited_model import edited
        from pytest_coderobust.editors.identity import require_weights
        from pytest_coderobust.editors.registry import SavedSpec, parse_edit
        from pytest_coderobust.editors.saved_edits import saved_edit

        self.release()
        spec = parse_edit(edit)
        base = require_weights(self._state.backend, spec.label)
        context = (
            saved_edit(spec, base)
            if isinstance(spec, SavedSpec)
            else edited(base, spec, requests, unedited(self._state, self._reference).passing)
        )
        with context as model:
            yield OneModel(model.identity, plain_suite(self._state, self._reference, model))

    def release(self) -> None:
        """Takes out an edit that `--edit` has put in."""
        from pytest_coderobust.engine.edited.measurement import EditedMeasurement

        suite = self._state.suite(self._reference)
        if isinstance(suite, EditedMeasurement):
            suite.release()


def base_model(state: CodeRobust, place: TestPlace) -> OneModel:
    """The model before any edit."""
    return OneModel(state.backend.identity, unedited(state, place.reference))


def unedited(state: CodeRobust, reference: str) -> Measurement:
    """A suite on the model before any edit."""
    from pytest_coderobust.engine.edited.measurement import EditedMeasurement

    suite = state.suite(reference)
    return suite.base if isinstance(suite, EditedMeasurement) else suite


def edited_model(state: CodeRobust, place: TestPlace) -> OneModel:
    """The model that `--edit` edited for the perturbation of the running test."""
    from pytest_coderobust.engine.edited.measurement import EditedMeasurement

    suite = state.suite(place.reference)
    if not isinstance(suite, EditedMeasurement):
        pytest.skip("no edit is named; add --edit EDITOR")
    planned = [cell.perturbation for cell in suite.plan.cells if not cell.is_clean]
    names = planned if place.cell.is_clean else [place.cell.perturbation]
    for name in names:
        if model := suite.model(name):
            return OneModel(model.state.identity, model.measurement)
    pytest.skip(f"no eligible request under {', '.join(names) or 'no perturbation'}")


def plain_suite(state: CodeRobust, reference: str, backend: Backend) -> Measurement:
    """The suite on one backend."""
    from pytest_coderobust.engine.completions import CompletionStore
    from pytest_coderobust.engine.measurement import Measurement

    answers = CompletionStore(backend, state.ledger, state.listen)
    return Measurement(state.plan(reference), answers, state.judge, state.ledger, state.listen)
