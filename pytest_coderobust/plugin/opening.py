"""The start of a session: every choice is checked before anything heavy loads."""

from __future__ import annotations

import pytest

from pytest_coderobust.config.settings import read_settings
from pytest_coderobust.errors import UsageError
from pytest_coderobust.plugin.choices import Choices
from pytest_coderobust.plugin.models import known_models
from pytest_coderobust.plugin.session import CodeRobust


def open_session(config: pytest.Config, choices: Choices) -> CodeRobust:
    """Checks the model's name and starts the session; nothing heavy loads.

    Raises:
        pytest.UsageError: the model, a perturbation or the project's settings are wrong.
    """
    from pytest_coderobust.config.perturbations import check_names
    from pytest_coderobust.models.registry import check_model_name
    from pytest_coderobust.plugin.baselines import check_choices
    from pytest_coderobust.plugin.early import check_early

    check_choices(choices)
    check_early(choices)
    try:
        settings = read_settings(config.rootpath)
        state = CodeRobust(choices, settings, config.rootpath)
        told: dict[str, float] = getattr(config, "workerinput", {})
        state.started = told.get("coderobust_started", state.started)
        check_model_name(state.model, known_models(settings))
        check_names(choices.perturb or (), "--perturb: ")
        if choices.edit:
            from pytest_coderobust.plugin.editing import check_edits

            check_edits(choices.edit, state.model)
        if choices.budget is not None:
            from pytest_coderobust.engine.budget import parse_budget

            parse_budget(choices.budget)
        if choices.hunt:
            from pytest_coderobust.hunt.hunt import check_huntable

            check_huntable(state.backend.keyed_by, state.model)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    return state
