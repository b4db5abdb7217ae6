"""Models that are to be trained: opened as for a suite, and asked in the template of the data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.config.settings import read_settings
from pytest_coderobust.errors import UsageError
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.models import list_known_models, open_model
from pytest_coderobust.session.root import find_root

if TYPE_CHECKING:
    from pytest_coderobust.models.backend import Backend
    from pytest_coderobust.training.material import Material


def open_base(choices: Choices, template: str | None, material: Material) -> Backend:
    """Opens the base, asked in the template of the data unless the user names one.

    Raises:
        UsageError: there is no such model, it has no weights, or the template is wrong.
    """
    from pytest_coderobust.training.material import BARE

    if template and material.is_chat:
        raise UsageError("--template: rows of messages go through the model's chat template")
    if template is not None and "{prompt}" not in template:
        raise UsageError(f"--template {template!r} has no {{prompt}} in it")
    own = material.template if material.template != BARE else None
    settings = read_settings(find_root(Path.cwd()))
    check_base(choices)
    return open_model(choices, settings, template=template or own)


def check_base(choices: Choices) -> None:
    """Refuses a model without weights here, before a server or a recording is opened.

    Raises:
        UsageError: there is no such model, or it has no weights.
    """
    from pytest_coderobust.models.registry import check_model_name, has_weights
    from pytest_coderobust.training.base import refuse_weightless

    assert choices.model is not None
    known = list_known_models(read_settings(find_root(Path.cwd())))
    if not has_weights(choices.model, known):
        raise refuse_weightless(choices.model)
    check_model_name(choices.model, known)
