"""Trained networks of editors, kept in the user's cache folder by digest of all they follow from.

A file is safetensors; its header says which model the network was trained for, and any other model
refuses it. It also has digests of the texts that the network learned from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from platformdirs import user_cache_path
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save

from pytest_coderobust.editors.access import Access
from pytest_coderobust.errors import DataError, ModelError, UsageError
from pytest_coderobust.files import replace_file
from pytest_coderobust.records import digest

TEXTS = "texts"
"""Key of what a network learned from: digests of texts, as `digest_texts` makes them."""

_ABOUT = "coderobust"


@dataclass(frozen=True, slots=True, eq=False)
class NetworkFile:
    """Trained network: its tensors, and facts as JSON has them ("model", "checkpoint", "kind")."""

    tensors: Mapping[str, torch.Tensor]
    about: Mapping[str, object]


def find_network(kind: str, access: Access, *parts: object) -> Path:
    """Finds the place of a network for a model: below the cache folder's `kind`, by digest."""
    name = digest(kind, access.backend.checkpoint_digest, str(access.model.dtype), *parts)
    return user_cache_path("pytest-coderobust") / kind / f"{name}.safetensors"


def describe_owner(kind: str, access: Access) -> dict[str, object]:
    """Describes the model that a network of a kind is trained for."""
    return {
        "kind": kind,
        "model": access.name,
        "checkpoint": access.backend.checkpoint_digest,
        "dtype": str(access.model.dtype),
    }


def write_network(path: Path, network: NetworkFile) -> None:
    """Writes a network; a cache that cannot be written is no trouble."""
    tensors = {name: each.detach().cpu().contiguous() for name, each in network.tensors.items()}
    about = json.dumps(dict(network.about), sort_keys=True)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, save(tensors, metadata={_ABOUT: about}))


def read_network(path: Path) -> NetworkFile | None:
    """Reads a network; None where there is none, or the file is damaged or something else."""
    about = read_about(path)
    if about is None:
        return None
    try:
        return NetworkFile(load(path.read_bytes()), about)  # a copy, not the file's own memory
    except (OSError, SafetensorError, ValueError):
        return None


def read_about(path: Path) -> dict[str, object] | None:
    """Reads the facts of a network without its tensors; None as in `read_network`."""
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {})[_ABOUT])
    except (OSError, SafetensorError, KeyError, ValueError):
        return None
    return cast("dict[str, object]", about) if isinstance(about, dict) else None


def open_network(path: Path, kind: str, access: Access, where: str) -> NetworkFile:
    """Reads a network that a user names.

    Args:
        where: the option, for messages ("encoder=./e.safetensors").

    Raises:
        DataError: the file is missing or damaged, or holds something else.
        ModelError: the network was trained for another model.
    """
    found = read_network(path)
    if found is None or found.about.get("kind") != kind:
        raise DataError(f"{where}: is not a readable file of {kind.replace('-', ' ')}")
    wanted = describe_owner(kind, access)
    if any(found.about.get(key) != wanted[key] for key in ("checkpoint", "dtype")):
        given = str(found.about.get("checkpoint"))[:12]
        raise ModelError(
            f"{where}: was trained for model {found.about.get('model')!r} ({given}, "
            f"{found.about.get('dtype')}), not for {access.name!r} "
            f"({access.backend.checkpoint_digest[:12]}, {wanted['dtype']})"
        )
    return found


def refuse_other_training(
    where: str, trained: Mapping[str, object], given: Mapping[str, object]
) -> None:
    """Refuses options beside a network that a user names, where it was trained with others.

    Args:
        where: the option that names it, for messages.
        trained: the values that it was trained with.
        given: those that are asked for, by the same names.

    Raises:
        UsageError: they differ; says all that do.
    """
    others = [name for name, each in given.items() if each != trained[name]]
    if others:
        had, wanted = (
            ",".join(f"{name}={values[name]}" for name in others) for values in (trained, given)
        )
        raise UsageError(f"{where}: was trained with {had}, not with {wanted}")
