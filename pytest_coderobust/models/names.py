"""Names of checkpoints: the short ones of the papers and the user's own, folders, hub ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.folders import holds_adapter, holds_checkpoint, read_trained_form
from pytest_coderobust.models.gguf import check_gguf, names_gguf
from pytest_coderobust.models.options import ModelSpec
from pytest_coderobust.records import TRAINED_ON

BUILTIN: Mapping[str, ModelSpec] = {
    "codellama-7b": ModelSpec("codellama/CodeLlama-7b-hf"),
    "qwen2.5-coder-7b": ModelSpec("Qwen/Qwen2.5-Coder-7B"),
    "codeqwen1.5-7b": ModelSpec("Qwen/CodeQwen1.5-7B"),
    "stable-code-3b": ModelSpec("stabilityai/stable-code-3b"),
    "deepseek-coder-1.3b": ModelSpec("deepseek-ai/deepseek-coder-1.3b-base"),
    "deepseek-coder-6.7b": ModelSpec("deepseek-ai/deepseek-coder-6.7b-base"),
    "codegen-2b-multi": ModelSpec("Salesforce/codegen-2B-multi"),
    "starcoder-1b": ModelSpec("bigcode/starcoderbase-1b"),
    "starcoder-3b": ModelSpec("bigcode/starcoderbase-3b"),
}

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def find_spec(name: str, known: Mapping[str, ModelSpec] | None = None) -> ModelSpec | None:
    """Finds the checkpoint behind a name: the user's own, ours, a file or folder, a hub id.

    Returns None where no checkpoint can have the name.

    Raises:
        UsageError: the name or the id behind it is spelt as a folder or as a GGUF file, and no
            checkpoint is there.
    """
    names = {**BUILTIN, **(known or {})}
    if name in names:
        spec = names[name]
        if names_gguf(spec.id):
            check_gguf(name, Path(spec.id).expanduser())
            return spec
        if not (Path(spec.id).expanduser().is_dir() or _HUB_ID.fullmatch(spec.id)):
            raise UsageError(f"model {name!r}: its id {spec.id!r} is neither a folder nor a hub id")
        return _with_trained_form(spec)
    folder = Path(name).expanduser()
    if names_gguf(name) and not folder.is_dir():
        check_gguf(name, folder)
        return ModelSpec(str(folder))
    if holds_checkpoint(folder) or holds_adapter(folder):
        return _with_trained_form(ModelSpec(str(folder)))
    if name.startswith(("/", "./", "../", "~")) and not folder.is_dir():
        raise UsageError(f"model {name!r}: there is no such folder")
    if name and folder.is_dir():
        raise UsageError(
            f"model {name!r}: the folder has no config.json, so it is not a checkpoint"
        )
    return ModelSpec(name) if _HUB_ID.fullmatch(name) else None


def describe_origin(name: str, spec: ModelSpec) -> dict[str, str]:
    """Describes where a checkpoint is from, and which perturbations it was trained on."""
    folder = Path(spec.id).expanduser()
    # A folder's path would tell a report's reader about the machine, not about the model.
    facts = {"model": name if folder.exists() else spec.id, "revision": spec.revision or ""}
    if folder.is_dir():
        facts[TRAINED_ON] = ", ".join(read_trained_form(folder).trained_on)
    return facts


def _with_trained_form(spec: ModelSpec) -> ModelSpec:
    """Gives a spec the form of prompts that its folder was tuned on, if it says none itself."""
    form = read_trained_form(Path(spec.id).expanduser())
    if spec.template is not None or spec.chat:
        return spec
    return replace(spec, template=form.template, chat=form.chat)
