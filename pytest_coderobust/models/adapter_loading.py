"""LoRA adapters put on a model in memory, unmerged; needs the library peft."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from pytest_coderobust.errors import MissingExtra, ModelError
from pytest_coderobust.models.adapters import ADAPTER_WEIGHTS


def require_peft(feature: str) -> Any:
    """Imports the module `peft`.

    Raises:
        MissingExtra: it is not installed; `feature` names what needs it.
    """
    try:
        return import_module("peft")
    except ImportError:
        raise MissingExtra(feature, "lora") from None


def add_adapter(name: str, model: Any, folder: Path) -> Any:
    """Puts an adapter on a model, which is changed in place, and returns the model.

    The adapter's tensors stay in float32 where the model is computed in half precision, as peft
    trains them.

    Raises:
        MissingExtra: peft is not installed.
        ModelError: the adapter is of a model with other tensors.
    """
    peft = require_peft(f"the adapter of model {name!r}")
    wrapped = peft.PeftModel.from_pretrained(
        model, str(folder), is_trainable=False, local_files_only=True
    )
    with import_module("safetensors").safe_open(folder / ADAPTER_WEIGHTS, "pt") as file:
        stored = set(file.keys())
    wanted = set(peft.get_peft_model_state_dict(wrapped))
    for problem, keys in (("lacks", wanted - stored), ("has unknown", stored - wanted)):
        _refuse(name, folder, problem, keys)
    return wrapped.get_base_model()


def _refuse(name: str, folder: Path, problem: str, keys: Iterable[str]) -> None:
    tensors = sorted(keys)
    if tensors:
        raise ModelError(
            f"model {name!r}: the adapter in {folder} {problem} tensors of its model "
            f"({len(tensors)}, the first is {tensors[0]})"
        )
