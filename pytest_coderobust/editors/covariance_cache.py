"""Covariances kept in the user's cache folder, each under a digest of all that it follows from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from platformdirs import user_cache_path
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.corpus import IDENTITY, corpus_digest
from pytest_coderobust.editors.covariance import (
    Covariance,
    identity_covariance,
    measure_covariances,
)
from pytest_coderobust.errors import ModelError
from pytest_coderobust.files import replace_file
from pytest_coderobust.records import digest

_VERSION = 1
PLENTY = 20
"""Tokens for each unit that are read where the user names no number."""


@dataclass(frozen=True, slots=True, eq=False)
class CovarianceShelf:
    """Covariances of some layers of a model, read from their files one at a time.

    Attributes:
        files: layer -> the file that holds it.
        held: layer -> covariance, for what could not be written, and for the identity.
    """

    files: Mapping[int, Path]
    held: Mapping[int, Covariance]

    def take(self, layer: int) -> Covariance:
        """Returns the covariance of a layer.

        Raises:
            ModelError: its file has gone since.
        """
        found = self.held.get(layer) or _read(self.files[layer])
        if found is None:
            raise ModelError(f"{self.files[layer]}: the covariance cannot be read; delete it")
        return found


def stock_shelf(
    access: Access, layers: Sequence[int], corpus: str, tokens: int | None, seed: int
) -> CovarianceShelf:
    """Finds the covariances of layers in the cache, and measures those that it lacks.

    The model must hold no edit that its backend does not know of.

    Args:
        corpus: "identity", "stdlib" or a folder.
        tokens: how many to read; None is 20 for each unit.

    Raises:
        UsageError, ModelError: as `measure_covariances`.
    """
    widths = {layer: access.projection(layer).width for layer in layers}
    if corpus == IDENTITY:
        return CovarianceShelf({}, {each: identity_covariance(widths[each]) for each in layers})
    wanted = tokens or PLENTY * max(widths.values())
    folder = user_cache_path("pytest-coderobust") / "covariances"
    parts = (access.backend.checkpoint_digest, str(access.model.dtype), corpus_digest(corpus))
    files = {
        layer: folder / f"{digest('covariance', _VERSION, *parts, layer, wanted, seed)}.safetensors"
        for layer in layers
    }
    missing = [layer for layer in layers if not _is_whole(files[layer], widths[layer])]
    held: dict[int, Covariance] = {}
    if missing:
        for layer, found in measure_covariances(access, missing, corpus, wanted, seed):
            _write(files[layer], found)
            if not _is_whole(files[layer], widths[layer]):
                held[layer] = found
    return CovarianceShelf(files, held)


def _write(path: Path, covariance: Covariance) -> None:
    """Writes a covariance; a cache that cannot be written is no trouble."""
    assert covariance.factor is not None
    tensors = {
        "factor": covariance.factor.contiguous(),
        "alive": covariance.alive.contiguous(),
        "tokens": torch.tensor([covariance.tokens]),
    }
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, save(tensors))


def _is_whole(path: Path, width: int) -> bool:
    """Whether a file holds a covariance; reads its header, which knows the length of the rest."""
    try:
        with safe_open(path, framework="pt") as file:
            found: list[int] = file.get_slice("factor").get_shape()
    except (OSError, SafetensorError):
        return False
    return found == [width, width]


def _read(path: Path) -> Covariance | None:
    """Reads a covariance; None where there is none, or the file is damaged."""
    try:
        tensors = load_file(path)
        factor, alive, tokens = (tensors[each] for each in ("factor", "alive", "tokens"))
    except (OSError, SafetensorError, KeyError):
        return None
    if factor.dtype != torch.float64 or not bool(torch.isfinite(factor).all()):
        return None
    return Covariance(factor, alive, int(tokens))
