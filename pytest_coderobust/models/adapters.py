"""Adapters on disk: the base that an adapter needs, found and checked; no weights are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.folders import (
    ADAPTER_FILE,
    BUNDLED,
    bundled_folder,
    holds_adapter,
    holds_checkpoint,
    read_json,
    read_trained_form,
)
from pytest_coderobust.models.options import ModelSpec

ADAPTER_WEIGHTS = "adapter_model.safetensors"
_FOREIGN = ("megatron_config", "arrow_config", "layer_replication")
"""Settings by which peft would import a module that the file names, or build another model."""
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def find_base(name: str, folder: Path) -> ModelSpec:
    """Finds the base model of an adapter.

    Args:
        name: the adapter's name, for messages.

    Raises:
        ModelError: the adapter is of a kind that cannot be opened, lacks its weights, or its base
            is not there.
    """
    settings = read_json(folder / ADAPTER_FILE)
    kind, revision = settings.get("peft_type"), settings.get("revision")
    if kind != "LORA":
        raise ModelError(
            f"model {name!r}: the folder holds an adapter of the kind {str(kind)[:40]!r}; "
            "only LoRA adapters ('LORA') can be opened"
        )
    for key in _FOREIGN:
        if settings.get(key):
            raise ModelError(
                f"model {name!r}: its adapter sets {key!r}, which reads other modules or files; "
                "merge it into a model first"
            )
    if not (folder / ADAPTER_WEIGHTS).is_file():
        raise ModelError(f"model {name!r}: {folder} has no {ADAPTER_WEIGHTS}")
    named = settings.get("base_model_name_or_path")
    base = named if isinstance(named, str) else ""
    for place in _list_places(base, folder):
        if holds_checkpoint(place):
            return ModelSpec(str(place))
        if holds_adapter(place):
            raise ModelError(
                f"model {name!r}: the base of its adapter, {place}, is an adapter itself; merge "
                "that one into a model first"
            )
    if _HUB_ID.fullmatch(base):
        return ModelSpec(base, revision=revision if isinstance(revision, str) else None)
    raise ModelError(
        f"model {name!r}: the base of its adapter, {base[:200]!r}, is not there; write its folder "
        f"or hub id into base_model_name_or_path of {folder / ADAPTER_FILE}"
    )


def check_base(name: str, folder: Path, weights: str) -> None:
    """Checks the base of an adapter that `coderobust finetune` trained.

    Args:
        weights: the digest of the weights of the base as it is now.

    Raises:
        ModelError: the adapter was trained on other weights.
    """
    form = read_trained_form(folder)
    if form.base_weights and form.base_weights != weights:
        raise ModelError(
            f"model {name!r}: its adapter was trained on other weights of {form.base!r} "
            f"({form.base_weights[:12]}) than those that are there now ({weights[:12]})"
        )


def _list_places(base: str, folder: Path) -> Iterator[Path]:
    """The folders in which the base may lie."""
    # The bundled model moves with the installation, so its name counts and not its path.
    if read_trained_form(folder).base == BUNDLED:
        yield bundled_folder()
    if base:
        yield folder / Path(base).expanduser()
        yield Path(base).expanduser()
