"""Edits that a test, a notebook or a script makes itself, each undone when its block ends."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_coderobust.records import Cell
from pytest_coderobust.session.edits import OneModel
from pytest_coderobust.session.suite import SuiteSession

if TYPE_CHECKING:
    from pytest_coderobust.editors.protocol import EditRequest


class EditSession:
    """Edits of one suite's model."""

    def __init__(self, suite: SuiteSession) -> None:
        self._suite = suite

    def request(self, task_id: str, perturbation: str, seed: int = 0) -> EditRequest:
        """The request that a task's prompt be answered perturbed as it is clean."""
        from pytest_coderobust.editors.protocol import EditRequest
        from pytest_coderobust.engine.variants import make_variant

        plan = self._suite.plan
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
        base = require_weights(self._suite.resources.backend, spec.label)
        context = (
            saved_edit(spec, base)
            if isinstance(spec, SavedSpec)
            else edited(base, spec, requests, self._suite.unedited.passing)
        )
        with context as model:
            yield OneModel(model.identity, self._suite.measure_with(model))

    def release(self) -> None:
        """Takes out an edit that `--edit` has put in."""
        from pytest_coderobust.engine.edited.measurement import EditedMeasurement

        found = self._suite.measurement
        if isinstance(found, EditedMeasurement):
            found.release()
