"""The user's choices and the project's own models, in the form that the registry takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_coderobust.config.settings import Settings
from pytest_coderobust.errors import UsageError
from pytest_coderobust.session.choices import Choices

if TYPE_CHECKING:
    from pytest_coderobust.models.backend import Backend
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
            engine=entry.engine,
        )
        for name, entry in settings.models.items()
    }


def open_model(choices: Choices, settings: Settings, *, template: str | None = None) -> Backend:
    """Opens the model that was chosen; nothing is loaded yet.

    Args:
        template: text around prompts, in the place of the model's own.

    Raises:
        UsageError: there is no such model, or an option is impossible.
    """
    from pytest_coderobust.models.registry import open_backend

    assert choices.model is not None
    options = replace(make_model_options(choices), template=template)
    return open_backend(choices.model, options=options, known=list_known_models(settings))


def open_tokenizer(choices: Choices, settings: Settings) -> Any:
    """Loads the tokenizer of the model that was chosen; its weights are not.

    Raises:
        UsageError: there is no such model, or it has no tokenizer here.
        ModelError: the tokenizer cannot be loaded.
    """
    backend = open_model(choices, settings)
    try:
        tokenizer: Any = getattr(backend, "tokenizer", None)
    finally:
        backend.close()
    if tokenizer is None:
        raise UsageError(f"{choices.model!r} has no tokenizer here")
    return tokenizer
