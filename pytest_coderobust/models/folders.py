"""Folders of models: a checkpoint, the adapter of another one, and what a training left there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast

from pytest_coderobust.errors import ModelError

TRAINING_FILE = "coderobust-training.json"
"""The file in which `coderobust finetune` says what it trained, written last."""
ADAPTER_FILE = "adapter_config.json"
BUNDLED = "tiny"


@dataclass(frozen=True, slots=True)
class TrainedForm:
    """The form of prompts that a model was tuned on, and the model that it was made of.

    Attributes:
        template: the text around a prompt; None where there was none, or the folder is not ours.
        chat: whether prompts went through the chat template.
        base: the name of the base as its trainer wrote it; "" where the folder is not ours.
        base_weights: the digest of the base's weights.
        trained_on: the perturbations of the rows that it was tuned on; empty where there were
            none, or nobody knows.
    """

    template: str | None = None
    chat: bool = False
    base: str = ""
    base_weights: str = ""
    trained_on: tuple[str, ...] = ()


def read_json(path: Path) -> dict[str, object]:
    """Reads the object in a JSON file; empty where there is no file.

    Raises:
        ModelError: the file is not JSON.
    """
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read: {error}") from None
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def holds_checkpoint(folder: Path) -> bool:
    """Whether a folder holds a model of its own."""
    return (folder / "config.json").is_file()


def holds_adapter(folder: Path) -> bool:
    """Whether a folder holds the adapter of another model, and no model of its own."""
    return (folder / ADAPTER_FILE).is_file() and not holds_checkpoint(folder)


def read_trained_form(folder: Path) -> TrainedForm:
    """Reads the form of prompts that `coderobust finetune` left; the default for other folders.

    Raises:
        ModelError: its file is not JSON, or holds something else.
    """
    path = folder / TRAINING_FILE
    facts = read_json(path)
    base = facts.get("base", {})
    template, chat = facts.get("template"), facts.get("chat", False)
    fields = cast("dict[str, object]", base) if isinstance(base, dict) else {}
    name, weights = fields.get("name", ""), fields.get("weights", "")
    if not (
        (template is None or (isinstance(template, str) and "{prompt}" in template))
        and isinstance(chat, bool)
        and isinstance(name, str)
        and isinstance(weights, str)
    ):
        raise ModelError(f"{path}: is not what coderobust finetune writes")
    own = None if template == "{prompt}" else template
    return TrainedForm(own, chat, name, weights, _read_trained_on(facts))


def _read_trained_on(facts: Mapping[str, object]) -> tuple[str, ...]:
    data = facts.get("data")
    found = cast("dict[str, object]", data).get("perturbations") if isinstance(data, dict) else None
    names = cast("list[object]", found) if isinstance(found, list) else []
    return tuple(name for name in names if isinstance(name, str))


def bundled_folder() -> Path:
    """Returns the folder of the bundled model."""
    # `tiny` is a room beside this one, so no import may name it; it is looked up when asked for.
    folder: Path = import_module("pytest_coderobust.tiny").checkpoint_path()
    return folder
