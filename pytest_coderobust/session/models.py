"""The user's choices and the project's own models, in the form that the registry takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_coderobust.config.settings import Settings
from pytest_coderobust.session.choices import Choices

if TYPE_CHECKING:
    from pytest_coderobust.models.registry import ModelOptions, ModelSpec


def make_model_options(choices: Choices) -> ModelOptions:
    """The part of the choices that a backend wants."""
    from pytest_coderobust.models.registry import ModelOptions

    return ModelOptions(
        device=choices.device,
        dtype=choices.dtype,
        batch_size=choices.batch_size,
        threads=choices.threads,
        chat=choices.chat,
        allow_bin=choices.allow_bin,
        trust_remote_code=choices.trust_remote_code,
        concurrency=choices.concurrency,
        patience=choices.patience,
        api_key_env=choices.api_key_env,
    )


def list_known_models(settings: Settings) -> dict[str, ModelSpec]:
    """The project's own models in the registry's form."""
    from pytest_coderobust.models.registry import ModelSpec

    return {
        name: ModelSpec(
            id=entry.id,
            revision=entry.revision,
            dtype=entry.dtype,
            chat=entry.chat,
            template=entry.template,
            server=entry.server,
        )
        for name, entry in settings.models.items()
    }
