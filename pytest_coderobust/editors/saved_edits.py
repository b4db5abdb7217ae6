"""Saved edits: safetensors for the tensors, JSON for the rest; any other model refuses them.

A folder holds `edit.safetensors` and `edit.json`; an adapter's is a folder that plain peft loads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, cast

from pytest_coderobust.editors.edited_model import EditedBackend, changed_model
from pytest_coderobust.editors.identity import stacked_identity
from pytest_coderobust.editors.protocol import EditRequest, ModelChange, Weighted
from pytest_coderobust.editors.registry import EDIT_FILE, EDITORS, EditorSpec, SavedSpec
from pytest_coderobust.errors import DataError, ModelError, UsageError
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.models.fingerprint import file_digest
from pytest_coderobust.records import ModelIdentity, digest

FORMAT = 1

KINDS: Mapping[str, str] = {
    "weights": "pytest_coderobust.editors.weights:WeightChange",
    "encoded-codebook": "pytest_coderobust.editors.encoded_codebook:encoded_codebook_change",
    "codebook": "pytest_coderobust.editors.codebook:codebook_change",
    "adapter": "pytest_coderobust.editors.lora:adapter_change",
    "prompts": "pytest_coderobust.editors.denoising:prompt_change",
}
"""The kinds of changes, each with what makes a change from its tensors and facts."""


def save_edit(
    folder: Path,
    backend: Weighted,
    change: ModelChange,
    spec: EditorSpec,
    requests: Sequence[EditRequest],
) -> None:
    """Writes a change that was made for `backend` (the model below, not the edited one).

    Raises:
        UsageError: the editor makes changes that nothing could load again.
        DataError: the folder cannot be written.
    """
    from safetensors.torch import save_file

    if not _maker(change.kind, spec.label):
        raise UsageError(
            f"--edit {spec.label}: changes of kind {change.kind!r} cannot be saved; the row of the "
            "editor names nothing that loads them"
        )
    record = {
        "format": FORMAT,
        "kind": change.kind,
        "editor": spec.label,
        "model": backend.identity.name,
        "base": backend.checkpoint_digest,
        "requests": [{"label": each.label, "digest": each.digest} for each in requests],
        "versions": {name: version(name) for name in ("torch", "transformers")},
        "facts": dict(change.facts),
    }
    tensors = {name: tensor.contiguous().cpu() for name, tensor in change.tensors().items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(tensors, folder / _tensor_file(change.kind))
        if change.kind == "adapter":
            from pytest_coderobust.editors.lora import adapter_config

            adapter_config(change.facts, backend.identity.name).save_pretrained(folder)
        (folder / EDIT_FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{folder}: the edit cannot be written: {error}") from None


def load_edit(spec: SavedSpec, backend: Weighted) -> ModelChange:
    """Loads the change in a folder.

    Raises:
        DataError: the folder's files are missing or malformed.
        ModelError: the edit was made for another model.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    record = record_for(spec, backend)
    kind = str(record["kind"])
    file = spec.folder / _tensor_file(kind)
    try:
        tensors = load_file(file)
    except (OSError, SafetensorError) as error:
        raise DataError(f"{file}: cannot be read: {error}") from None
    make: Callable[[Any, Any], ModelChange] = resolve_name(_maker(kind, str(record["editor"])))
    return make(tensors, record["facts"])


def saved_edit(spec: SavedSpec, backend: Weighted) -> AbstractContextManager[EditedBackend]:
    """Context of the backend with a saved edit in force.

    Raises:
        DataError, ModelError: as `load_edit`.
    """
    change = load_edit(spec, backend)
    return changed_model(backend, change, saved_identity(spec, backend))


def saved_identity(spec: SavedSpec, backend: Backend) -> ModelIdentity:
    """Makes the identity of a model under a saved edit, from the content of its files.

    Raises:
        DataError: the folder's files are missing or malformed.
    """
    record = read_record(spec.folder)
    content = file_digest(spec.folder / _tensor_file(str(record["kind"])))
    label = f"{record['editor']} saved in {spec.label}"
    name = digest("saved", record["kind"], record["facts"], content)
    return stacked_identity(backend.identity, name, label)


def record_for(spec: SavedSpec, backend: Weighted) -> dict[str, object]:
    """Reads the record of a saved edit and refuses one that was made for another model.

    Raises:
        DataError: as `read_record`.
        ModelError: the edit was made for another model.
    """
    record = read_record(spec.folder)
    if record["base"] != backend.checkpoint_digest:
        raise ModelError(
            f"--edit {spec.folder}: the edit was made for model {record['model']!r} "
            f"({str(record['base'])[:12]}), not for {backend.identity.name!r} "
            f"({backend.checkpoint_digest[:12]})"
        )
    return record


def read_record(folder: Path) -> dict[str, object]:
    """Reads the record of a saved edit.

    Raises:
        DataError: the file is not an edit of a format that is known here.
    """
    file = folder / EDIT_FILE
    try:
        record = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read: {error}") from None
    required = ("format", "kind", "editor", "model", "base", "facts")
    if not isinstance(record, dict) or any(key not in record for key in required):
        raise DataError(f"{file}: is not a valid saved edit")
    if record["format"] != FORMAT or not _maker(record["kind"], str(record["editor"])):
        raise DataError(
            f"{file}: format {record['format']!r}, kind {record['kind']!r} is unknown here; "
            f"known is format {FORMAT} with kinds {', '.join(KINDS)}"
        )
    if not isinstance(record["facts"], dict):
        raise DataError(f"{file}: facts must be an object")
    return cast("dict[str, object]", record)


def _tensor_file(kind: str) -> str:
    """Names the file of a change's tensors; plain peft expects an adapter's under its own name."""
    return "adapter_model.safetensors" if kind == "adapter" else "edit.safetensors"


def _maker(kind: object, editor: str) -> str:
    """Finds the "module:function" that makes a change of a kind from tensors and facts, or "".

    Args:
        editor: the label of the editor ("ft:layer=2"), whose row may name one for its own kind.
    """
    if isinstance(kind, str) and kind in KINDS:
        return KINDS[kind]
    name = editor.partition(":")[0]
    return EDITORS[name].saved if name in EDITORS else ""
