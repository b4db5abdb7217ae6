"""`--edit`: its stack checked before anything loads, and the regime of a suite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_coderobust.config.edits import EditConfig, with_editors
from pytest_coderobust.errors import UsageError

if TYPE_CHECKING:
    from pytest_coderobust.editors.registry import EditorSpec, SavedSpec
    from pytest_coderobust.engine.edited.measurement import EditedMeasurement
    from pytest_coderobust.plugin.session import CodeRobust


def check_edits(edits: Sequence[str], model: str) -> None:
    """Refuses an `--edit` that cannot be; nothing heavy loads.

    Raises:
        UsageError: no such editor, option, regime or folder, or the model has no weights.
    """
    if edits:
        edit_stack(with_editors(EditConfig(), edits, "--edit"), model)


def edit_stack(config: EditConfig, model: str) -> tuple[EditorSpec | SavedSpec, ...]:
    """The editors of a suite, the first applied first.

    Raises:
        UsageError: as `check_edits`.
    """
    from pytest_coderobust.editors.registry import parse_edit
    from pytest_coderobust.editors.stack import check_stack
    from pytest_coderobust.models.registry import has_weights

    specs = tuple(parse_edit(text) for text in config.editors)
    named = f"--edit {' --edit '.join(config.editors)}"
    if not has_weights(model):
        raise UsageError(
            f"{named}: model {model!r} has no weights to edit; name a checkpoint, such as 'tiny'"
        )
    check_stack(specs, config, named)
    return specs


def check_model(state: CodeRobust, reference: str) -> None:
    """Refuses edits that do not fit the model, before anything is measured.

    Raises:
        UsageError, ModelError, DataError: as `check_edits` and `editors.stack.check_model`.
    """
    from pytest_coderobust.editors import stack
    from pytest_coderobust.editors.identity import require_weights

    specs = edit_stack(state.plan(reference).config.edit, state.model)
    stack.check_model(specs, require_weights(state.backend, specs[0].label))


def open_regime(state: CodeRobust, reference: str) -> EditedMeasurement:
    """The suite on the base model and on the edited ones.

    Raises:
        UsageError: as `check_edits`.
        ConfigError, DataError: the suite or its tasks cannot be read.
    """
    from pytest_coderobust.editors.identity import require_weights
    from pytest_coderobust.engine.edited.measurement import EditedMeasurement

    plan = state.plan(reference)
    specs = edit_stack(plan.config.edit, state.model)
    backend = require_weights(state.backend, specs[0].label)
    return EditedMeasurement(plan, backend, specs, state.judge, state.ledger, state.listen)
