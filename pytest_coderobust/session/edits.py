"""Edits of a session: stacks that are checked before anything loads, and edited measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_coderobust.config.edits import EditConfig
from pytest_coderobust.errors import UsageError
from pytest_coderobust.records import Cell, Completion, ModelIdentity, Task, Variant
from pytest_coderobust.session.models import list_known_models
from pytest_coderobust.session.resources import Resources

if TYPE_CHECKING:
    from pytest_coderobust.editors.registry import EditorSpec, SavedSpec
    from pytest_coderobust.engine.edited.measurement import EditedMeasurement
    from pytest_coderobust.engine.measurement import Measurement
    from pytest_coderobust.engine.observations import Answered
    from pytest_coderobust.engine.plan import Plan

DRAWN = "drawn"
"""The perturbation's name of a prompt that a test made up itself."""


def read_stack(config: EditConfig, resources: Resources) -> tuple[EditorSpec | SavedSpec, ...]:
    """The editors of a suite, the first applied first; nothing heavy loads.

    Raises:
        UsageError: no such editor, option, regime or folder, or the model has no weights.
    """
    from pytest_coderobust.editors.registry import parse_edit
    from pytest_coderobust.editors.stack import check_stack
    from pytest_coderobust.models.registry import explain_weightless, has_weights

    specs = tuple(parse_edit(text) for text in config.editors)
    named = f"--edit {' --edit '.join(config.editors)}"
    refuse_served(resources, named)
    model, known = resources.model, list_known_models(resources.settings)
    if not has_weights(model, known):
        raise UsageError(f"{named}: {explain_weightless(model, known)}")
    check_stack(specs, config, named)
    return specs


def refuse_served(resources: Resources, named: str) -> None:
    """Refuses to edit a served model; nobody is asked.

    Args:
        named: the wish as the user wrote it ("--edit creme").

    Raises:
        UsageError: the model is served.
    """
    from pytest_coderobust.models.registry import is_served

    if is_served(resources.model, list_known_models(resources.settings)):
        raise UsageError(
            f"{named}: model {resources.model!r} is served: its weights lie elsewhere, and nothing "
            "here can change them; open the checkpoint that it serves in this process instead: "
            "--model ./FOLDER"
        )


def check_model(config: EditConfig, resources: Resources) -> None:
    """Refuses edits that do not fit the model, before anything is measured.

    Raises:
        UsageError, ModelError, DataError: as `read_stack` and `editors.stack.check_model`.
    """
    from pytest_coderobust.editors import stack
    from pytest_coderobust.editors.identity import require_weights

    specs = read_stack(config, resources)
    stack.check_model(specs, require_weights(resources.backend, specs[0].label))


def open_edited(plan: Plan, resources: Resources) -> EditedMeasurement:
    """The suite on the base model and on the edited ones.

    Raises:
        UsageError: as `read_stack`.
    """
    from pytest_coderobust.editors.identity import require_weights
    from pytest_coderobust.engine.edited.measurement import EditedMeasurement

    specs = read_stack(plan.config.edit, resources)
    backend = require_weights(resources.backend, specs[0].label)
    return EditedMeasurement(
        plan, backend, specs, resources.verdicts, resources.ledger, resources.listen
    )


class OneModel:
    """One model, base or edited; every answer is judged and remembered."""

    def __init__(self, identity: ModelIdentity, measurement: Measurement) -> None:
        self.identity = identity
        self._measurement = measurement

    def complete(self, task: Task, prompt: str) -> tuple[Completion, ...]:
        """The completions of any prompt for a task, under the suite's sampling."""
        return tuple(completion for _, completion in self._answer(task, prompt).completions)

    def solves(self, task: Task, prompt: str) -> bool:
        """Whether at least the suite's `solved_at` share of the completions passes every test."""
        return self._measurement.solved(self._answer(task, prompt))

    def _answer(self, task: Task, prompt: str) -> Answered:
        return self._measurement.answer(Variant(task, Cell(DRAWN), prompt))
