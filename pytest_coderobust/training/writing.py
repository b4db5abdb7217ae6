"""Checkpoints and adapters that a training leaves, in the form that `--model` opens."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from pytest_coderobust.models.checkpoint import stored_dtype
from pytest_coderobust.models.folders import ADAPTER_FILE
from pytest_coderobust.models.hf import HFBackend

_SMALL = ("*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken", "merges*", "vocab*", "*.py")
_LEFT = ("*.index.json", "adapter_*.json", "coderobust-*.json")
_LIBRARIES = ("pytest-coderobust", "torch", "transformers", "accelerate", "peft")


def write_model(trainer: Any, backend: HFBackend, folder: Path) -> None:
    """Writes the trained weights with the base's own configuration and tokenizer.

    Every process takes part in collecting the weights; the main one writes them.

    Args:
        folder: an empty folder.
    """
    accelerator = trainer.accelerator
    state = accelerator.get_state_dict(trainer.model_wrapped)
    if not accelerator.is_main_process:
        return
    model = accelerator.unwrap_model(trainer.model_wrapped)
    if hasattr(model, "peft_config"):
        model.save_pretrained(folder, state_dict=state)
        _describe_base(folder / ADAPTER_FILE, backend)
        return
    write_whole(model, state, backend, folder)


def write_whole(
    model: Any, state: Mapping[str, torch.Tensor], backend: HFBackend, folder: Path
) -> None:
    """Writes a whole model in the dtype of its base, with the base's configuration and tokenizer.

    Args:
        state: its weights by name.
        folder: an empty folder.
    """
    dtype = getattr(torch, stored_dtype(backend.checkpoint))
    model.save_pretrained(folder, state_dict=_convert(state, dtype))
    for name in ("config.json", "generation_config.json"):
        (folder / name).unlink(missing_ok=True)
    # The base's own files, and not what a library made of them: only the weights are new.
    _copy_small(backend.checkpoint.folder, folder)


def _convert(state: Mapping[str, torch.Tensor], dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Converts weights to a dtype; those that are one tensor under two names stay one."""
    known: dict[tuple[int, torch.Size], torch.Tensor] = {}
    found: dict[str, torch.Tensor] = {}
    for name, each in state.items():
        if not each.is_floating_point():
            found[name] = each
            continue
        key = (each.data_ptr(), each.shape)
        if key not in known:
            known[key] = each.to(dtype)
        found[name] = known[key]
    return found


def list_versions() -> Mapping[str, str]:
    """Lists the versions of the libraries that took part."""
    found: dict[str, str] = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _copy_small(base: Path, folder: Path) -> None:
    left = {file for pattern in _LEFT for file in base.glob(pattern)}
    for pattern in _SMALL:
        for file in base.glob(pattern):
            if file.is_file() and file not in left:
                shutil.copyfile(file, folder / file.name)


def _describe_base(file: Path, backend: HFBackend) -> None:
    """Writes the base into the settings of an adapter, and its modules in a fixed order."""
    settings = json.loads(file.read_bytes())
    folder = backend.checkpoint.folder.absolute()
    local = Path(backend.spec.id).expanduser().is_dir()
    settings["base_model_name_or_path"] = str(folder) if local else backend.spec.id
    settings["revision"] = backend.spec.revision
    if isinstance(settings.get("target_modules"), list):
        settings["target_modules"] = sorted(settings["target_modules"])
    file.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    for card in file.parent.glob("README.md"):
        card.unlink()  # an empty form of peft's
